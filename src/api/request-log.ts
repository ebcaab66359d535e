import type { FastifyReply, FastifyRequest } from 'fastify';
import { isCallId } from '../call/call-id.ts';
import { LogSampler } from '../platform/log-sampler.ts';
import type { Log } from '../platform/log.ts';

/** An answer that took longer is worth a line of its own, however many there are. */
const SLOW_MS = 1000;

const LEFT_OUT_EVERY_MS = 10_000;

/**
 * One line for each answered request: the route, never the address, which may hold a number. Under load only some
 * of the good ones are written; those that failed or were slow have a share of their own, so that a flood of good
 * ones does not hide them, nor a flood of refused ones the disk.
 */
export class RequestLog {
  readonly #log: Log;
  readonly #good = new LogSampler({ perSecond: 20, oneIn: 100 });
  readonly #refused = new LogSampler({ perSecond: 20, oneIn: 100 });
  readonly #bad = new LogSampler({ perSecond: 50, oneIn: 100 });
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  answered(request: FastifyRequest, reply: FastifyReply, route: string): void {
    const status = reply.statusCode;
    const slow = reply.elapsedTime > SLOW_MS;
    const sampler = slow || status >= 500 ? this.#bad : status >= 400 ? this.#refused : this.#good;
    if (!sampler.takes(performance.now())) {
      this.#timer ??= setTimeout(() => this.#tellLeftOut(), LEFT_OUT_EVERY_MS).unref();
      return;
    }
    const call = callOf(request, reply);
    request.log[status >= 500 ? 'warn' : 'info'](
      {
        method: request.method,
        route,
        status,
        ms: Math.round(reply.elapsedTime),
        ...(call === undefined ? {} : { call }),
        ...(request.holder ? { key: request.holder.id } : {}),
      },
      slow ? 'answered slowly' : 'answered',
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#tellLeftOut();
  }

  #tellLeftOut(): void {
    this.#timer = undefined;
    const left = {
      good: this.#good.takeLeftOut(),
      refused: this.#refused.takeLeftOut(),
      bad: this.#bad.takeLeftOut(),
    };
    if (left.good + left.refused + left.bad === 0) return;
    this.#log.info(left, 'answered, and not written down one by one');
  }
}

/** The opaque id of the call that the request is about. The public one in an address holds the number. */
function callOf(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const params = request.params as Record<string, unknown> | undefined;
  const candidates = [reply.getHeader('x-call-id'), params?.['id']];
  return candidates.find((one): one is string => typeof one === 'string' && isCallId(one));
}
