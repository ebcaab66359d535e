import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { personalityJsonSchema, promptIndexJsonSchema } from './json-schemas.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

describe('the JSON schemas for editors', () => {
  it('are those of the code; `trunkline personality schema` writes them', () => {
    expect(read('agents/schema.json')).toBe(personalityJsonSchema());
    expect(read('prompts/schema.json')).toBe(promptIndexJsonSchema());
  });

  it('accept what the loader accepts, and refuse a misspelt option', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const validate = ajv.compile(JSON.parse(personalityJsonSchema()));
    for (const key of ['receptionist', 'appointment_reminder', 'german_assistant']) {
      expect(validate(parse(read(`agents/${key}.yaml`))), key).toBe(true);
    }
    const misspelt = read('agents/appointment_reminder.yaml').replace('smart_format', 'smart');
    expect(validate(parse(misspelt))).toBe(false);
    const prompts = ajv.compile(JSON.parse(promptIndexJsonSchema()));
    expect(prompts(parse(read('prompts/prompts.yaml')))).toBe(true);
  });

  it('are named in the first line of every file that they are for', () => {
    const line = '# yaml-language-server: $schema=./schema.json\n';
    for (const file of ['agents/receptionist.yaml', 'prompts/prompts.yaml']) {
      expect(read(file).startsWith(line), file).toBe(true);
    }
  });
});
