import path from 'node:path';
import { defineCommand } from 'citty';
import type { CallEvent } from '../../call/call-event.ts';
import { EVENT_STREAM, parseStreamEntry } from '../../call/event-stream.ts';
import { trunkEventIn } from '../../call/trunk-entries.ts';
import { OperatorError } from '../../platform/errors.ts';
import { loadConfig } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import { maskNumber, maskNumbers } from '../../platform/mask.ts';
import { connectRedis } from '../../platform/redis.ts';
import type { TrunkEvent } from '../../trunk/trunk-event.ts';
import { inventSecrets } from '../stack-environment.ts';

export default defineCommand({
  meta: {
    name: 'watch',
    description:
      'Print what happens in all calls, live: who talks, what is said, how each call ends.\n\n' +
      'Examples:\n  trunkline watch\n  trunkline watch --json | jq .type\n  REDIS_URL=redis://10.0.0.5:6379 trunkline watch',
  },
  args: {
    json: { type: 'boolean', description: 'print each event as a line of JSON' },
    root: { type: 'string', description: 'folder of .env (default: this folder)' },
  },
  async run({ args }) {
    const config = loadConfig({
      root: path.resolve(args.root ?? process.cwd()),
      fallbacks: inventSecrets(),
    });
    const redis = connectRedis(config.REDIS_URL, createLog('watch', 'error'), 'patient');
    const stopping = new AbortController();
    process.once('SIGINT', () => {
      stopping.abort();
      redis.disconnect();
    });
    process.stderr.write('Waiting for calls; Ctrl-C ends.\n');
    let last = '$';
    while (!stopping.signal.aborted) {
      const answer = await redis
        .xread('BLOCK', 0, 'STREAMS', EVENT_STREAM, last)
        .catch((error: unknown) => {
          if (stopping.signal.aborted) return null;
          throw new OperatorError('The event stream cannot be read.', { cause: error });
        });
      for (const [, entries] of answer ?? []) {
        for (const [id, fields] of entries) {
          last = id;
          const event = trunkEventIn(fields) ?? parseStreamEntry(fields);
          process.stdout.write(`${args.json ? maskNumbers(JSON.stringify(event)) : line(event)}\n`);
        }
      }
    }
  },
});

function line(event: CallEvent | TrunkEvent): string {
  const time = new Date(event.at).toISOString().slice(11, 23);
  if (!('call' in event)) {
    return `${time}  trunk   ${event.data.trunk} is ${event.type.slice('trunk.'.length)}: ${event.data.reason}`;
  }
  return `${time}  ${event.call.slice(-6)}  ${describe(event)}`;
}

function describe(event: CallEvent): string {
  switch (event.type) {
    case 'call.received':
      return `call from ${maskNumber(event.data.from)} over ${event.data.trunk}, for ${event.data.personality}`;
    case 'call.dialing':
      return `dialling over ${event.data.trunk}`;
    case 'call.ringing':
      return 'ringing';
    case 'call.answered':
      return `answered by ${event.data.personality}`;
    case 'turn':
      return `${event.data.role.padEnd(6)} ${event.data.text}${event.data.interrupted ? ' (interrupted)' : ''}`;
    case 'call.taken_over':
      return `agent lost (${event.data.cause}), another goes on after ${event.data.silentMs} ms`;
    case 'call.transfer':
      return `transfer ${event.data.state}${event.data.reason === undefined ? '' : `: ${event.data.reason}`}`;
    case 'call.dtmf':
      return `${event.data.count} key(s) ${event.data.direction}`;
    case 'call.recorded':
      return `recorded, ${Math.round(event.data.durationMs / 1000)} s`;
    case 'call.usage':
      return `used ${event.data.usage.map(({ provider }) => provider).join(', ')}`;
    case 'call.ended':
      return `ended: ${event.data.outcome}; ${event.data.reason}`;
  }
}
