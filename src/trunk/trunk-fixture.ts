import type { Trunk } from './trunk.ts';

/** A trunk for tests: a generic carrier with one number, changed as the test needs. */
export function aTrunk(changes: Partial<Trunk> = {}): Trunk {
  return {
    name: 'office',
    provider: 'generic',
    address: 'sip.example.com',
    transport: 'udp',
    mediaEncryption: 'disable',
    numbers: [{ number: '+12025550123', personality: 'receptionist' }],
    callsPerSecond: 1,
    concurrentCalls: 10,
    allowedPrefixes: ['US'],
    allowedAddresses: ['203.0.113.0/24'],
    ...changes,
  };
}
