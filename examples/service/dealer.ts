// The dealer's process: it hands out randomness and sees no image, no weight and no score. It should belong to somebody
// who sides with neither organisation. `cryptorch dealer --config FILE` does the same without any code.

import { Dealer, type DealerConfig } from '../../lib/index'; // in an application: from 'cryptorch-native'
import { serveRole } from './role';

void serveRole('dealer', async (config: DealerConfig) => {
  const dealer = await Dealer.open(config);
  return { ports: { port: dealer.port }, close: () => dealer.close() };
});
