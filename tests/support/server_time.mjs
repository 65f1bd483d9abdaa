// What time a server tells, measured as a page does: by ping and pong.
import assert from 'node:assert/strict';
import { sleep } from './member.mjs';

const CLOSE_MS = 2; // of the round trip: the measure is then right to half of it
const PINGS_MAX = 500;

// Resolves to server time minus performance.now(), in milliseconds, at the server of that member.
export async function leadOf(member) {
  for (let i = 0; i < PINGS_MAX; i += 1) {
    const id = `lead ${performance.now()}`;
    const taken = new Promise((resolve) => {
      const onMessage = (data) => {
        const nowMs = performance.now();
        const message = JSON.parse(data);
        if (message.type !== 'pong' || message.id !== id) return;
        member.socket.off('message', onMessage);
        resolve({ ...message, nowMs });
      };
      member.socket.on('message', onMessage);
    });
    const sentMs = performance.now();
    member.send('ping', { id, t1: 0 });
    const { t2, t3, nowMs } = await taken;
    if (nowMs - sentMs <= CLOSE_MS) return (t2 + t3) / 2 - (sentMs + nowMs) / 2;
    await sleep(5);
  }
  return assert.fail(`${PINGS_MAX} pings, and none was answered within ${CLOSE_MS} ms`);
}
