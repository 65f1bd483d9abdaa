// What happens in a measured showing, in order.

// Everything that a showing can go through. About 95 seconds.
export function wholePlan(showing) {
  return everything(showing, async () => {});
}

// The same with a change of quality. About 110 seconds.
export function adaptivePlan(showing) {
  return everything(showing, (viewer) => showing.changeQuality(viewer, 8));
}

async function everything(showing, changeQuality) {
  const [first, second] = await begin(showing, 14);
  await showing.command('pause', 'pause', {}, 2);
  await showing.command('play', 'play', {}, 8);
  await showing.command('seek', 'seek', (position) => ({ position: position + 20 }), 9);
  await changeQuality(second);
  await showing.command('rate 1.25', 'rate', { rate: 1.25 }, 8);
  await showing.command('rate 1', 'rate', { rate: 1 }, 7);
  await showing.lateJoiner(nameOf(showing.seats), 9);
  await showing.reconnect(first, 8);
  await showing.cut(second, 15, 10);
  await showing.finish();
}

// Enough to see that it works. About 25 seconds.
export async function quickPlan(showing) {
  await begin(showing, 8);
  await showing.command('seek', 'seek', (position) => ({ position: position + 20 }), 8);
  await showing.lateJoiner(nameOf(showing.seats), 7);
  await showing.finish();
}

// Nothing but playing, for so many seconds.
export function calmPlan(seconds) {
  return async (showing) => {
    await begin(showing, seconds);
    await showing.finish();
  };
}

async function begin(showing, seconds) {
  const viewers = [];
  while (viewers.length < showing.seats) viewers.push(await showing.addViewer(nameOf(viewers.length)));
  await showing.untilLoaded();
  await showing.command('play', 'play', {}, seconds);
  return viewers;
}

const nameOf = (index) => String.fromCharCode(65 + index);
