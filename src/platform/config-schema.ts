import { z } from 'zod';
import { workerVariables } from './worker-variables.ts';
import { asError } from './errors.ts';
import { postgresUrls } from './postgres-hosts.ts';
import { parseRedisAddress } from './redis-address.ts';

const port = z.coerce.number().int().min(1).max(65_535);
const secret = (description: string) => z.string().min(1).describe(description);
const httpUrl = z.url({ protocol: /^https?$/ });
const address = z
  .string()
  .regex(/^[\w.\-[\]:]+:\d{1,5}$/, 'must be host:port, for example 127.0.0.1:5060');

/** A text that `parse` takes; what it throws is the problem. */
const parsed = (parse: (text: string) => unknown) =>
  z.string().superRefine((text, context) => {
    try {
      parse(text);
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: asError(thrown).message });
    }
  });

/** Addresses and networks (CIDR) with commas between them. */
const addressList = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(
    z.array(
      z.union(
        [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
        'must be addresses or networks with commas between them, for example 10.0.0.0/8,::1',
      ),
    ),
  );

/**
 * Every variable that Trunkline reads, from the environment or from `.env`. The descriptions are the
 * reference: `trunkline config` and `.env.example` show them.
 */
export const environmentSchema = z.object({
  LIVEKIT_URL: z
    .url({ protocol: /^wss?$/ })
    .default('ws://127.0.0.1:7880')
    .describe('livekit-server, as this process reaches it (ws:// or wss://)'),
  LIVEKIT_API_KEY: z.string().min(1).describe('key of livekit-server'),
  LIVEKIT_API_SECRET: secret('secret of livekit-server, at least 32 characters').min(32),
  REDIS_URL: parsed(parseRedisAddress)
    .default('redis://127.0.0.1:6379')
    .describe('Redis of the queue, the events and LiveKit; also redis+sentinel://host,host/master'),
  REDIS_FENCE_REPLICAS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .optional()
    .describe(
      'replicas that must have a fence before its call is dialled; absent: 1 with Sentinel',
    ),
  DATABASE_URL: parsed(postgresUrls)
    .optional()
    .describe('Postgres, also several hosts with commas; absent: an embedded database in DATA_DIR'),
  API_KEY: secret('key that callers of the API send in X-API-Key').min(16),
  API_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('address on which the api, and health and metrics of the others, listen'),
  API_PORT: port.default(8000).describe('port on which the api listens'),
  TRUSTED_PROXIES: addressList
    .default([])
    .describe(
      'proxies before the api whose X-Forwarded-For is believed: addresses, networks, commas',
    ),
  WEBHOOK_SECRET: z
    .string()
    .regex(
      /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/,
      'must be whsec_ and at least 24 bytes in base64, as `echo whsec_$(openssl rand -base64 32)` makes it',
    )
    .optional()
    .describe('secret with which callbacks, and requests to POST /api/webhook, are signed'),
  WEBHOOK_ALLOWED_NETWORKS: addressList
    .default([])
    .describe(
      'networks that are not public and to which webhooks may go: addresses, networks, commas',
    ),
  WRONG_KEYS_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(30)
    .describe('unknown keys from one address, after which the api answers it 429 for the minute'),
  API_INTERNAL_URL: httpUrl
    .default('http://127.0.0.1:8000')
    .describe('the api, as other processes reach it'),
  DISPATCHER_PORT: port.default(8083).describe('health and metrics of the dispatcher'),
  WORKER_PORT: port.default(8082).describe('health of the worker'),
  RING_TIMEOUT_SECONDS: z.coerce
    .number()
    .int()
    .min(5)
    .max(75)
    .default(45)
    .describe('how long a phone that is called may ring, 5 to 75 s'),
  TRUNK_MONITOR_PORT: port.default(8084).describe('health and metrics of the trunk monitor'),
  ...workerVariables,
  SIP_ADDRESS: address
    .default('127.0.0.1:5060')
    .describe('livekit-sip, as the loopback trunk reaches it (host:port)'),
  SIP_MAX_CALLS: z.coerce
    .number()
    .int()
    .min(1)
    .max(2000)
    .optional()
    .describe('calls of livekit-sip of this machine, for its ports; absent: those of its workers'),
  SIP_HEALTH_URL: httpUrl
    .default('http://127.0.0.1:8085')
    .describe('health endpoint of livekit-sip'),
  SIP_CONFIG_BODY: z
    .string()
    .optional()
    .describe("livekit-sip's whole configuration as text (read by livekit-sip, not by Trunkline)"),
  PUBLIC_IP: z
    .union([z.ipv4(), z.ipv6()])
    .optional()
    .describe('address that carriers must reach; absent: found by itself where it can be'),
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-fA-F]{32}$/, 'must be AC and 32 hexadecimal digits')
    .optional()
    .describe('Twilio account; with the two below a trunk is made by itself'),
  TWILIO_AUTH_TOKEN: secret('Twilio auth token').optional(),
  TWILIO_PHONE_NUMBER: z
    .string()
    .regex(/^\+[1-9]\d{6,14}$/, 'must be E.164, for example +12025550123')
    .optional()
    .describe('number of the Twilio trunk, E.164'),
  TWILIO_API_URL: httpUrl
    .optional()
    .describe("base of Twilio's REST API where it is not Twilio's own, for tests"),
  OPENAI_API_KEY: secret('OpenAI, or any server that speaks its protocol').optional(),
  OPENAI_BASE_URL: httpUrl
    .optional()
    .describe('base URL of a compatible server, for example a local Ollama'),
  DEEPGRAM_API_KEY: secret('Deepgram').optional(),
  AZURE_SPEECH_KEY: secret('Azure speech').optional(),
  AZURE_SPEECH_REGION: z
    .string()
    .regex(/^[a-z0-9]+$/, 'must be a region such as westeurope')
    .optional()
    .describe('region of the Azure speech resource'),
  AZURE_OPENAI_API_KEY: secret('Azure OpenAI').optional(),
  AZURE_OPENAI_ENDPOINT: httpUrl.optional().describe('endpoint of the Azure OpenAI resource'),
  AZURE_OPENAI_DEPLOYMENT_NAME: z
    .string()
    .min(1)
    .optional()
    .describe('deployment of the Azure OpenAI resource'),
  SIMULATOR_URL: httpUrl
    .default('http://127.0.0.1:8090')
    .describe('stand-ins for the vendors, and control of the simulated phone'),
  SIMULATOR_SIP_ADDRESS: address
    .default('127.0.0.1:5070')
    .describe("the simulator's SIP phone (host:port, UDP)"),
  AGENTS_DIR: z.string().default('agents').describe('folder of the personalities'),
  PROMPTS_DIR: z.string().default('prompts').describe('folder of prompts.yaml and its texts'),
  TRUNKS_FILE: z.string().default('trunks.yaml').describe('what trunks there should be'),
  DATA_DIR: z.string().default('data').describe('embedded database, logs, recordings'),
  RECORDINGS_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('recordings of calls; absent: recordings below DATA_DIR'),
  RECORDINGS_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('days after which a recording is removed; absent: never'),
  CONVERSATIONS_DIR: z
    .string()
    .optional()
    .describe('folder with a file per finished conversation; absent: none is written'),
  CONVERSATIONS_FORMAT: z
    .enum(['markdown', 'json', 'both'])
    .default('markdown')
    .describe('what is written into CONVERSATIONS_DIR: markdown, json or both'),
  DEFAULT_PERSONALITY: z
    .string()
    .default('receptionist')
    .describe('who answers and calls where nothing else is said'),
  AGENT_NAME: z
    .string()
    .regex(/^[\w-]+$/)
    .default('trunkline')
    .describe('name under which the workers register with livekit-server'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('least level that is logged'),
  LOG_FILE_MB: z.coerce
    .number()
    .min(1)
    .max(10_000)
    .default(20)
    .describe('size in MB from which a log file below DATA_DIR is put aside (without Docker)'),
  LOG_FILES_KEEP: z.coerce
    .number()
    .int()
    .min(0)
    .max(100)
    .default(5)
    .describe('older log files that are kept of each process'),
  NOTIFY_WEBHOOK_URL: httpUrl
    .optional()
    .describe('incoming webhook of a chat that is told what needs a person'),
  NOTIFY_EMAIL_TO: z
    .string()
    .regex(/^[^\s@,]+@[^\s@,]+(\s*,\s*[^\s@,]+@[^\s@,]+)*$/, 'must be mail addresses, with commas')
    .optional()
    .describe('who is told by mail what needs a person; several with commas'),
  NOTIFY_EMAIL_FROM: z
    .string()
    .regex(/^[^\r\n]*[^\s@]+@[^\s@]+$/, 'must be a mail address')
    .optional()
    .describe('sender of those mails'),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe('mail server for those mails, smtp[s]://user:password@host:port'),
});

export type Environment = z.infer<typeof environmentSchema>;
export type VariableName = keyof Environment;

/** Secrets and personal data: masked wherever the configuration is shown. */
export const sensitiveVariables: ReadonlySet<VariableName> = new Set([
  'LIVEKIT_API_SECRET',
  'DATABASE_URL',
  'REDIS_URL',
  'API_KEY',
  'WEBHOOK_SECRET',
  'SIP_CONFIG_BODY',
  'TWILIO_AUTH_TOKEN',
  'TWILIO_PHONE_NUMBER',
  'OPENAI_API_KEY',
  'DEEPGRAM_API_KEY',
  'AZURE_SPEECH_KEY',
  'AZURE_OPENAI_API_KEY',
  'NOTIFY_WEBHOOK_URL',
  'NOTIFY_EMAIL_TO',
  'SMTP_URL',
]);
