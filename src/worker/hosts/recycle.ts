/** When a host is replaced by a fresh one; its calls stay with it to their end. */
export type RecycleLimits = { rssBytes: number; ageMs: number; calls: number };

export type RecycleReason = 'large' | 'old' | 'many_calls';

/** Why a host should be replaced, or undefined. */
export function reasonToRecycle(
  limits: RecycleLimits,
  host: { rssBytes: number; ageMs: number; served: number },
): RecycleReason | undefined {
  if (host.rssBytes > limits.rssBytes) return 'large';
  if (host.served >= limits.calls) return 'many_calls';
  if (host.ageMs > limits.ageMs) return 'old';
  return undefined;
}
