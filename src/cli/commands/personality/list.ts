import { defineCommand } from 'citty';
import { openFiles } from './open.ts';

export default defineCommand({
  meta: { name: 'list', description: 'List the personalities, with who hears, thinks and speaks.' },
  args: { json: { type: 'boolean', description: 'as JSON' } },
  async run({ args }) {
    const { loaded } = await openFiles();
    const rows = [...loaded.keys].map((key) => {
      const personality = loaded.personalities.get(key);
      if (!personality) return { key, ok: false as const };
      const { name, language, simulated, hash, components } = personality;
      const providers = [components.stt, components.llm, components.tts].map(
        ({ provider }) => provider,
      );
      return { key, ok: true as const, name, language, simulated, version: hash, providers };
    });
    if (args.json) {
      process.stdout.write(`${JSON.stringify(rows)}\n`);
      return;
    }
    const width = Math.max(0, ...rows.map(({ key }) => key.length));
    for (const row of rows) {
      const text = row.ok
        ? `${row.language.padEnd(7)}${row.simulated ? 'on the simulator' : row.providers.join(' → ')}`
        : 'has problems: trunkline personality check';
      process.stdout.write(`${row.key.padEnd(width)}  ${text}\n`);
    }
  },
});
