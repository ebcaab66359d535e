import { defineCommand } from 'citty';
import { readLiveKit } from '../../../trunk/livekit-apply.ts';
import { managedTrunk } from '../../../trunk/managed.ts';
import { readTrunkStates, type TrunkState } from '../../../trunk/trunk-state.ts';
import type { Trunk } from '../../../trunk/trunk.ts';
import { table } from '../../table.ts';
import { withTrunkContext } from './trunk-context.ts';

const command = defineCommand({
  meta: {
    name: 'list',
    description: 'List the trunks of the configuration, and whether they are made',
  },
  args: { json: { type: 'boolean', description: 'print one JSON array' } },
  async run({ args }) {
    const rows = await withTrunkContext(async ({ liveKit, openRedis, trunks }) => {
      const made = await readLiveKit(liveKit.sip);
      const states = await openRedis().then(readTrunkStates);
      const idOf = (infos: readonly { metadata: string; sipTrunkId: string }[], name: string) =>
        infos.find((info) => managedTrunk(info) === name)?.sipTrunkId;
      return trunks.map((trunk) => ({
        ...publicPart(trunk),
        outbound_trunk: idOf(made.outbound, trunk.name) ?? null,
        inbound_trunk: idOf(made.inbound, trunk.name) ?? null,
        state: states.get(trunk.name) ?? null,
      }));
    });
    process.stdout.write(args.json === true ? `${JSON.stringify(rows)}\n` : describe(rows));
  },
});

export default command;

/** A trunk without its credentials. */
function publicPart(trunk: Trunk) {
  return {
    name: trunk.name,
    provider: trunk.provider,
    address: trunk.address,
    transport: trunk.transport,
    media_encryption: trunk.mediaEncryption,
    numbers: trunk.numbers,
    calls_per_second: trunk.callsPerSecond,
    concurrent_calls: trunk.concurrentCalls,
    allowed_prefixes: trunk.allowedPrefixes,
    allowed_addresses: trunk.allowedAddresses,
    transfer_hosts: trunk.transferHosts ?? [],
  };
}

type Row = ReturnType<typeof publicPart> & {
  outbound_trunk: string | null;
  inbound_trunk: string | null;
  state: TrunkState | null;
};

function describe(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) =>
    row.numbers.map(({ number, personality }, index) =>
      index === 0
        ? [
            row.name,
            row.provider,
            `${row.address} (${row.transport})`,
            row.outbound_trunk !== null && row.inbound_trunk !== null ? 'yes' : 'no',
            row.state?.state ?? 'unknown',
            number,
            personality,
          ]
        : ['', '', '', '', '', number, personality],
    ),
  );
  return table(['TRUNK', 'PROVIDER', 'ADDRESS', 'MADE', 'STATE', 'NUMBER', 'ANSWERED BY'], lines);
}
