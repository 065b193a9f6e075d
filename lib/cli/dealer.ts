// `cryptorch dealer`: the dealer of a deployment, until it is stopped with SIGINT or SIGTERM.

import { Command } from 'commander';
import { readDealerConfig } from '../runtime/config';
import { Dealer } from '../runtime/dealer';
import { roleLog, untilStopped } from './role-log';

export function dealerCommand(): Command {
  return new Command('dealer')
    .description('run the dealer of a deployment')
    .requiredOption('-c, --config <file>', 'configuration of the dealer')
    .option('--json', 'print events as JSON, one object per line')
    .action(run);
}

async function run(options: { config: string; json?: boolean }): Promise<void> {
  const stopped = untilStopped();
  const log = roleLog(options.json === true);
  const dealer = await Dealer.open(await readDealerConfig(options.config));
  const { name } = dealer.deployment;
  log.note('listening', { port: dealer.port }, `dealer of "${name}" listens on port ${dealer.port}`);
  await stopped;
  await dealer.close();
}
