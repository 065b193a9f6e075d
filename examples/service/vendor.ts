// The vendor's process, party 1: owns the weights, takes part in the runs that the clinic asks for, and learns nothing
// from them.

import { openService, type ServiceConfig } from './party-service';
import { serveRole } from './role';

void serveRole('vendor', (config: ServiceConfig) => openService('vendor', config));
