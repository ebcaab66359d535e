import { LEDGER_MIGRATIONS } from '../call/ledger/ledger.ts';
import { openPersonalities } from '../personality/personalities.ts';
import { missingParameters } from '../personality/render.ts';
import { loadConfig, resolvePath } from '../platform/config.ts';
import { openDatabase } from '../platform/database.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { runService } from '../platform/service.ts';
import { loadTrunks } from '../trunk/load-trunks.ts';
import { startApi } from './start-api.ts';

const log = createLog('api', process.env.LOG_LEVEL ?? 'info');

await runService(log, async (releases) => {
  const config = loadConfig();
  log.level = config.LOG_LEVEL;

  const trunks = loadTrunks(config);
  const personalities = await openPersonalities({ config, log, watch: true });
  releases.add('personalities', () => personalities.close());

  const database = await openDatabase({
    url: config.DATABASE_URL,
    folder: resolvePath(config, config.DATA_DIR, 'database'),
    migrations: LEDGER_MIGRATIONS,
    log,
  });
  releases.add('database', () => database.close());

  const { app } = await startApi({
    config,
    log,
    database,
    trunks,
    personalities,
    missingVariables: (key, given) => {
      const personality = personalities.get(key);
      return personality ? missingParameters(personality, 'outbound', given) : [];
    },
    rooms: connectLiveKit(config).rooms,
    releases,
  });
  await app.listen({ host: config.API_HOST, port: config.API_PORT });
});
