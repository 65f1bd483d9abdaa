// A screen without a screen: Xvfb with a window manager, without which windows have no size of their
// own, cannot fill the screen and are never hidden.
import { startChild } from '../child.mjs';
import { until } from '../until.mjs';

const SIZE = '1600x1200x24';
const START_MS = 15_000;

// Resolves to {name, stop()}: `name` is what DISPLAY has to be.
export async function startDisplay(env) {
  const server = await startChild('Xvfb', ['-displayfd', '1', '-screen', '0', SIZE, '-nolisten', 'tcp'], { env });
  const number = () => /^(\d+)\n/m.exec(server.output())?.[1];
  await until(() => number() || server.hasEnded(), () => `Xvfb starts:\n${server.output()}`, START_MS);
  if (!number()) throw new Error(`Xvfb ended at once:\n${server.output()}`);
  const name = `:${number()}`;
  const windows = await startChild('openbox', ['--sm-disable'], { env: { ...env, DISPLAY: name } });
  return {
    name,
    stop: async () => {
      await windows.stop();
      await server.stop();
    },
  };
}
