// The demo in one process: dealer and parties are threads, links are queues between them.

import type { Progress } from '../../lib/cli/progress';
import { times } from '../../lib/cli/report';
import { type CompiledModel, type RunResult, runLocal, type Tensor } from '../../lib/index';

export async function runInProcess(
  model: CompiledModel,
  images: Tensor,
  progress: Progress,
): Promise<RunResult> {
  progress.note('running the dealer and all parties as threads of this process');
  const options = { onProgress: progress.update };
  const result = await runLocal(model, { image: images }, options).finally(() => progress.end());
  progress.note(times(result));
  return result;
}
