import { lookup } from 'node:dns/promises';
import { loadConfig } from '../platform/config.ts';
import { createLog } from '../platform/log.ts';
import { runService } from '../platform/service.ts';
import { buildSimulator } from './app.ts';
import { LedgerClient } from './conversation/ledger-client.ts';
import { parsePeer } from './phone/sip-address.ts';
import { SipPhone } from './phone/sip-phone.ts';
import { Speech } from './speech.ts';
import { Telephones } from './telephones.ts';

const log = createLog('simulator', process.env.LOG_LEVEL ?? 'info');

await runService(log, async (releases) => {
  const config = loadConfig();
  log.level = config.LOG_LEVEL;

  const speech = new Speech();
  // Finds out now, not in the first call, that espeak-ng is missing.
  await speech.say('ready');

  // SIP and SDP carry addresses, not the names that containers have.
  const sip = await resolved(config.SIMULATOR_SIP_ADDRESS);
  const trunk = await resolved(config.SIP_ADDRESS);
  const phone = await SipPhone.open({
    address: `${sip.host}:${sip.port}`,
    allowedHosts: [...new Set(['127.0.0.1', trunk.host])],
    log,
  });
  releases.add('phone', () => phone.close());

  const url = new URL(config.SIMULATOR_URL);
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  const app = await buildSimulator({
    speech,
    phone,
    telephony: new Telephones({
      phone,
      trunkHost: `${trunk.host}:${trunk.port}`,
      // Loads the framework's native library, which only these calls need.
      dialLoopback: async (to, signal) => {
        const { dialLoopback } = await import('./loopback-leg.ts');
        return dialLoopback({ config, to, log, signal });
      },
    }),
    ledger: new LedgerClient({ url: config.API_INTERNAL_URL, apiKey: config.API_KEY }),
    // Beyond this machine's own interface others could reach it.
    controlKey: local ? undefined : config.API_KEY,
    log,
  });
  releases.add('http server', () => app.close());
  await app.listen({ host: local ? url.hostname : '0.0.0.0', port: Number(url.port || 80) });
});

async function resolved(address: string): Promise<{ host: string; port: number }> {
  const { host, port } = parsePeer(address);
  return { host: (await lookup(host, { family: 4 })).address, port };
}
