import { readFileSync, statSync } from 'node:fs';
import { checkNumber } from '../call/phone-number.ts';
import { resolvePath, type Config } from '../platform/config.ts';
import { homeDestinations } from './destination.ts';
import { providerDefaults } from './provider-defaults.ts';
import { parseTrunkFile } from './trunk-file.ts';
import type { TrunkEntry } from './trunk-schema.ts';
import { isLocal, type SipCredentials, type Trunk, type TwilioAccount } from './trunk.ts';
import { terminationDomain } from './twilio/twilio-names.ts';

/**
 * The trunks there should be: those of TRUNKS_FILE; without the file, one of the TWILIO_* variables; without
 * those, the simulator's phone and the loopback trunk.
 *
 * @throws {OperatorError} with every problem of the file, each with its line and column
 */
export function loadTrunks(config: Config): Trunk[] {
  const file = resolvePath(config, config.TRUNKS_FILE);
  // Docker makes a folder of a file that it should mount and that does not exist.
  const entries = statSync(file, { throwIfNoEntry: false })?.isFile()
    ? parseTrunkFile(readFileSync(file, 'utf8'), config.TRUNKS_FILE, config.credentials)
    : entriesWithoutFile(config);
  return entries.map((entry) => toTrunk(entry, config));
}

function entriesWithoutFile(config: Config): TrunkEntry[] {
  if (config.TWILIO_PHONE_NUMBER !== undefined) {
    return [
      { name: 'twilio', provider: 'twilio', numbers: [{ number: config.TWILIO_PHONE_NUMBER }] },
    ];
  }
  // The simulator stands first, so that a keyless call to anybody reaches the simulated phone.
  return [
    {
      name: 'simulator',
      provider: 'simulator',
      numbers: [
        { number: '+12025550110' },
        { number: '+12025550111', personality: 'appointment_reminder' },
        { number: '+12025550112', personality: 'german_assistant' },
      ],
    },
    { name: 'loopback', provider: 'loopback', numbers: [{ number: '+12025550123' }] },
  ];
}

function toTrunk(entry: TrunkEntry, config: Config): Trunk {
  const defaults = providerDefaults[entry.provider];
  const twilio = twilioAccount(entry, config);
  const transport = entry.transport ?? defaults.transport;
  const numbers = entry.numbers.map(({ number, personality }) => ({
    number: e164(number),
    personality: personality ?? config.DEFAULT_PERSONALITY,
  }));
  const any = isLocal(entry) ? ['+'] : homeDestinations(numbers.map(({ number }) => number));
  return {
    name: entry.name,
    provider: entry.provider,
    address: entry.address ?? addressOf(entry, config, twilio),
    transport,
    mediaEncryption: entry.media_encryption ?? (transport === 'tls' ? 'require' : 'disable'),
    credentials: credentialsOf(entry.credentials, config),
    inboundCredentials: credentialsOf(entry.inbound_credentials, config),
    numbers,
    callsPerSecond: entry.calls_per_second ?? defaults.callsPerSecond,
    concurrentCalls: entry.concurrent_calls ?? defaults.concurrentCalls,
    allowedPrefixes: entry.allowed_prefixes ?? any,
    allowedAddresses: entry.allowed_addresses ?? defaults.allowedAddresses,
    transferHosts: entry.transfer_hosts,
    twilio,
  };
}

function addressOf(entry: TrunkEntry, config: Config, twilio: TwilioAccount | undefined): string {
  if (entry.provider === 'loopback') return config.SIP_ADDRESS;
  if (entry.provider === 'simulator') return config.SIMULATOR_SIP_ADDRESS;
  if (twilio) return terminationDomain(twilio.accountSid, entry.name);
  return providerDefaults[entry.provider].address ?? '';
}

function twilioAccount(entry: TrunkEntry, config: Config): TwilioAccount | undefined {
  if (entry.provider !== 'twilio') return undefined;
  const { credentials } = config;
  return {
    accountSid: credentials[entry.twilio?.account_sid ?? 'TWILIO_ACCOUNT_SID'] ?? '',
    authToken: credentials[entry.twilio?.auth_token ?? 'TWILIO_AUTH_TOKEN'] ?? '',
    adopt: entry.twilio?.adopt,
  };
}

function credentialsOf(
  names: TrunkEntry['credentials'],
  config: Config,
): SipCredentials | undefined {
  if (!names) return undefined;
  return {
    username: config.credentials[names.username] ?? '',
    password: config.credentials[names.password] ?? '',
  };
}

function e164(number: string): string {
  const check = checkNumber(number);
  return check.ok ? check.e164 : number;
}
