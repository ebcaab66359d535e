import Fastify, { type FastifyInstance } from 'fastify';
import { apologyLanguages, apologyText } from '../call/apology/apology-text.ts';
import { APOLOGY_RATE, recordedApology } from '../call/apology/recorded-apology.ts';
import { PCMU } from '../platform/g711.ts';
import type { Log } from '../platform/log.ts';
import { mountConversations } from './control-conversations.ts';
import { mountFaults } from './control-faults.ts';
import { mountPhone } from './control-phone.ts';
import { ConversationEngine } from './conversation/engine.ts';
import type { LedgerClient } from './conversation/ledger-client.ts';
import type { Telephony } from './conversation/telephony.ts';
import { Faults } from './faults.ts';
import { KnownLines } from './known-lines.ts';
import { Pace } from './pace.ts';
import type { SipPhone } from './phone/sip-phone.ts';
import { Script } from './script.ts';
import { SAMPLE_RATE } from './leg.ts';
import { resample } from './resample.ts';
import { mountServed, Served } from './served.ts';
import type { Speech } from './speech.ts';
import { VendorDiary } from './vendor-diary.ts';
import { mountVendors } from './vendor-stand-ins.ts';

export type SimulatorParts = {
  speech: Speech;
  phone: SipPhone;
  telephony: Telephony;
  ledger: LedgerClient;
  /** Demanded in X-API-Key of whoever controls the simulator; undefined: of nobody. */
  controlKey: string | undefined;
  log: Log;
};

/** The simulator's HTTP server, which does not listen yet: the vendors' stand-ins and the control of all. */
export async function buildSimulator(parts: SimulatorParts): Promise<FastifyInstance> {
  const { speech, phone, telephony, ledger, controlKey, log } = parts;
  const app = Fastify({ forceCloseConnections: true });
  const script = new Script();
  const faults = new Faults();
  const served = new Served();
  const callerLines = new KnownLines();
  const agentLines = new KnownLines();
  for (const language of apologyLanguages) {
    // What is said without a voice of ours must be recognised, too.
    const sound = PCMU.decode(await recordedApology(language));
    agentLines.add(apologyText(language), resample(sound, APOLOGY_RATE, SAMPLE_RATE));
  }
  const vendors = {
    speech,
    script,
    faults,
    callerLines,
    agentLines,
    pace: new Pace(),
    diary: new VendorDiary(),
  };
  await mountVendors(app, { ...vendors, served });
  app.get('/health', () => ({ status: 'healthy', phone: phone.open }));
  await app.register(async (control) => {
    control.addHook('onRequest', async (request, reply) => {
      if (controlKey === undefined || request.headers['x-api-key'] === controlKey) return undefined;
      return reply.code(401).send({ problems: ['the header X-API-Key must hold API_KEY'] });
    });
    mountPhone(control, phone);
    mountFaults(control, faults);
    mountServed(control, served);
    await control.register((scope, _options, done) => {
      mountConversations(scope, new ConversationEngine({ ...vendors, telephony, ledger, log }));
      done();
    });
  });
  return app;
}
