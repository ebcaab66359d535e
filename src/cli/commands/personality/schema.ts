import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { defineCommand } from 'citty';
import { personalityJsonSchema, promptIndexJsonSchema } from '../../../personality/json-schemas.ts';
import { openConfig } from './open.ts';

export default defineCommand({
  meta: {
    name: 'schema',
    description: 'Write agents/schema.json and prompts/schema.json, which editors read.',
  },
  async run() {
    const config = openConfig();
    for (const [folder, schema] of [
      [config.AGENTS_DIR, personalityJsonSchema()],
      [config.PROMPTS_DIR, promptIndexJsonSchema()],
    ] as const) {
      const file = path.join(folder, 'schema.json');
      await writeFile(path.resolve(config.root, file), schema);
      process.stdout.write(`wrote ${file}\n`);
    }
  },
});
