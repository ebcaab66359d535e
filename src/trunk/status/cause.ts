/** What makes calls over a trunk fail. */
export type Cause =
  | 'wrong_password'
  | 'address_not_allowed'
  | 'caller_id_not_owned'
  | 'destination_not_enabled'
  | 'trial_account'
  | 'suspended_account'
  | 'calls_per_second'
  | 'number_unknown'
  | 'no_common_codec'
  | 'trunk_overloaded'
  | 'trunk_silent'
  | 'wrong_announced_address'
  | 'sip_service_down'
  | 'sip_service_busy'
  | 'not_made'
  | 'unknown';

/** A cause with what shows it. `evidence` is empty only for `unknown`. */
export type Diagnosis = {
  trunk?: string | undefined;
  /** What was seen: a SIP status, or `silence`. */
  symptom: string;
  cause: Cause;
  /** For people; holds no number and no secret. */
  sentence: string;
  evidence: string[];
  remedy: string;
};

/** What to do about a cause, whoever the carrier is. */
export const remedies: Readonly<Record<Cause, string>> = {
  wrong_password:
    'correct the variables named under credentials in trunks.yaml and run `sip-management ensure`; for Twilio, delete the credential in its console and run it',
  address_not_allowed:
    "add this machine's public address to the carrier's list of allowed addresses",
  caller_id_not_owned: 'use a number of the account as caller id, or verify the one you use there',
  destination_not_enabled:
    "enable the country at the carrier (Twilio: Voice → Settings → Geo permissions), and in the trunk's allowed_prefixes",
  trial_account: 'verify the number you call in the console of Twilio, or upgrade the account',
  suspended_account: "settle what the carrier's console says: an unpaid balance, or a review",
  calls_per_second: 'lower calls_per_second of the trunk, or ask the carrier for more',
  number_unknown: 'check the number; if it is right, ask the carrier how it wants numbers written',
  no_common_codec:
    'allow G.711 (PCMU, PCMA) at the carrier, and compare media_encryption with what it wants',
  trunk_overloaded: "see the carrier's status page; try again later",
  trunk_silent:
    'check address, transport and port of the trunk, and that the firewall lets SIP out and in',
  wrong_announced_address:
    'set PUBLIC_IP, and nat_1_to_1_ip or use_external_ip in sip.yaml, to the address that the Internet sees',
  sip_service_down: 'start livekit-sip, and look into its log',
  sip_service_busy:
    'give the machine more CPU, or raise max_cpu_utilization in sip.yaml (0.9 of the whole host by default)',
  not_made: 'run `sip-management ensure`',
  unknown:
    "ask the carrier with the call's time and SIP Call-ID; nothing that we can see explains it",
};
