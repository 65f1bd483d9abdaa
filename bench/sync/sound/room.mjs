// A room with a loudspeaker for each viewer and one tape recorder: a PulseAudio of its own, whose only sound
// device is a null sink with one channel a viewer. What each channel plays is recorded sample beside sample, so
// the distance of two viewers does not depend on any clock but the device's.
//
// norewinds=1: the device's clock else stands for 1 to 2 s whenever somebody begins to play.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { startChild } from '../../../tests/support/child.mjs';
import { makeHome } from '../../../tests/support/engines/home.mjs';
import { endAll } from '../../../tests/support/engines/processes.mjs';
import { until } from '../../../tests/support/until.mjs';
import { localMs } from '../truth.mjs';

export const RATE_HZ = 48_000;
const CHANNELS = ['front-left', 'front-right', 'rear-left', 'rear-right']; // one a seat
const SAMPLE_BYTES = 2;
const FRAME_BYTES = SAMPLE_BYTES * CHANNELS.length;
const BLOCK_MS = 20; // in which the device works, or in shorter ones where a viewer asks for them
const PAUSE_MS = 3; // what comes sooner belongs to the block before
const START_MS = 15_000;

export class Room {
  #home;
  #server;
  #recording = null;

  static async open() {
    const room = new Room();
    room.#home = await makeHome();
    try {
      await room.#start();
      return room;
    } catch (error) {
      await room.close();
      throw error;
    }
  }

  // Of its processes (processes.mjs).
  get mark() {
    return this.#home.mark;
  }

  // The environment of the processes of the viewer who sits there.
  envOf(seat) {
    return { PULSE_SERVER: this.#address, PULSE_SINK: `seat${seat}` };
  }

  // Records from now on, until stop(), which resolves to {arrivals: [{sample, atMs}], channelOf(seat)}.
  async record() {
    const args = ['--device=room.monitor', '--raw', '--format=s16le', `--rate=${RATE_HZ}`, `--channels=${CHANNELS.length}`,
      `--channel-map=${CHANNELS.join(',')}`, `--latency-msec=${BLOCK_MS}`];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'parec', ...args], {
      env: { ...this.#home.env, PULSE_SERVER: this.#address }, stdio: ['ignore', 'pipe', 'inherit'],
    });
    const tape = new Tape(child.stdout);
    this.#recording = child;
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until(() => tape.bytes > 0 || child.exitCode !== null, 'the room is recorded', START_MS);
    return async () => {
      child.kill('SIGTERM');
      await ended;
      this.#recording = null;
      return tape.content();
    };
  }

  async close() {
    this.#recording?.kill('SIGTERM');
    await this.#server?.stop();
    await endAll(this.#home.mark, 1_000);
    await this.#home.remove();
  }

  get #address() {
    return `unix:${path.join(this.#home.directory, 'run', 'room')}`;
  }

  async #start() {
    const { env, directory } = this.#home;
    const modules = [
      `module-native-protocol-unix socket=${path.join(directory, 'run', 'room')} auth-anonymous=1`,
      `module-null-sink sink_name=room rate=${RATE_HZ} channels=${CHANNELS.length} channel_map=${CHANNELS.join(',')} norewinds=1`,
      ...CHANNELS.map((channel, seat) =>
        `module-remap-sink sink_name=seat${seat} master=room channels=1 channel_map=mono master_channel_map=${channel} remix=no`),
    ];
    const args = ['-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1', '--log-target=stderr'];
    this.#server = await startChild('pulseaudio', [...args, ...modules.flatMap((module) => ['-L', module])], { env });
    const hasSeats = async () => this.#server.hasEnded() || (await this.#sinks()).includes(`seat${CHANNELS.length - 1}`);
    await until(hasSeats, () => `PulseAudio has a device:\n${this.#server.output()}`, START_MS, 100);
    if (this.#server.hasEnded()) throw new Error(`PulseAudio ended at once:\n${this.#server.output()}`);
  }

  async #sinks() {
    const child = await startChild('pactl', ['list', 'short', 'sinks'], { env: { ...this.#home.env, PULSE_SERVER: this.#address } });
    await child.exited;
    return child.output();
  }
}

class Tape {
  bytes = 0;
  #chunks = [];
  #arrivals = [];
  #lastMs = -Infinity;

  constructor(stream) {
    stream.on('data', (chunk) => this.#take(chunk, localMs()));
  }

  content() {
    const samples = Buffer.concat(this.#chunks);
    const count = Math.floor(samples.length / FRAME_BYTES);
    const channelOf = (seat) => {
      const channel = new Float32Array(count);
      for (let i = 0; i < count; i++) channel[i] = samples.readInt16LE(i * FRAME_BYTES + seat * SAMPLE_BYTES) / 32_768;
      return channel;
    };
    return { arrivals: this.#arrivals, channelOf };
  }

  #take(chunk, atMs) {
    if (atMs - this.#lastMs > PAUSE_MS && this.bytes % FRAME_BYTES === 0) {
      this.#arrivals.push({ sample: this.bytes / FRAME_BYTES, atMs });
    }
    this.#lastMs = atMs;
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }
}
