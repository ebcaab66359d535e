import { withinMs } from '../../platform/time-limit.ts';

export type ServiceStatus = 'healthy' | 'degraded' | 'unhealthy';

/** How a part is, with a short sentence without secrets or numbers. */
export type ServiceHealth = { status: ServiceStatus; message: string };

type Check = {
  /** Without this part no call can be accepted. */
  vital?: boolean;
  /** A throw counts as unhealthy. */
  run: () => Promise<ServiceHealth> | ServiceHealth;
};

export type Checks = Readonly<Record<string, Check>>;

export const healthy = (message: string): ServiceHealth => ({ status: 'healthy', message });
export const degraded = (message: string): ServiceHealth => ({ status: 'degraded', message });
export const unhealthy = (message: string): ServiceHealth => ({ status: 'unhealthy', message });

const LIMIT_MS = 1000;

/** Runs all checks at once, none for more than a second. */
export async function runChecks(
  checks: Checks,
): Promise<{ status: ServiceStatus; services: Record<string, ServiceHealth> }> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const health = await runCheck(check);
      return { name, health, vital: check.vital ?? false };
    }),
  );
  const status = results.some(({ health, vital }) => vital && health.status === 'unhealthy')
    ? 'unhealthy'
    : results.some(({ health }) => health.status !== 'healthy')
      ? 'degraded'
      : 'healthy';
  const services = Object.fromEntries(results.map(({ name, health }) => [name, health]));
  return { status, services };
}

async function runCheck(check: Check): Promise<ServiceHealth> {
  try {
    return await withinMs(LIMIT_MS, Promise.resolve().then(check.run));
  } catch {
    // The error may hold an address with a password; the log of the part that failed has it.
    return unhealthy('does not answer');
  }
}
