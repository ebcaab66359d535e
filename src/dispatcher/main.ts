import { openPersonalities } from '../personality/personalities.ts';
import { loadConfig } from '../platform/config.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { runService } from '../platform/service.ts';
import { loadTrunks } from '../trunk/load-trunks.ts';
import { outboundTrunkId } from '../trunk/outbound-trunk-id.ts';
import { startDispatcher } from './start-dispatcher.ts';

const log = createLog('dispatcher', process.env.LOG_LEVEL ?? 'info');

await runService(log, async (releases) => {
  const config = loadConfig();
  log.level = config.LOG_LEVEL;
  const personalities = await openPersonalities({ config, log, watch: true });
  releases.add('personalities', () => personalities.close());
  const { sip } = connectLiveKit(config);
  await startDispatcher(config, log, releases, {
    trunks: loadTrunks(config),
    trunkId: (trunk) => outboundTrunkId(sip, trunk),
    voice: (key) => personalities.get(key),
    caller: (key) => {
      const personality = personalities.get(key);
      if (!personality) return undefined;
      const { simulated, limits } = personality;
      return { simulated, maxDurationMs: limits.maxDurationMs };
    },
  });
});
