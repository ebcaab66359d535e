import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../platform/yaml-file.ts';
import { loadPersonalities } from './load-personalities.ts';
import { directions } from './personality.ts';
import { renderGreeting, renderPrompt } from './render.ts';

const folders = {
  root: path.resolve(import.meta.dirname, '../..'),
  agents: 'agents',
  prompts: 'prompts',
};
const withKeys = {
  OPENAI_API_KEY: 'k',
  DEEPGRAM_API_KEY: 'k',
  AZURE_SPEECH_KEY: 'k',
  AZURE_SPEECH_REGION: 'westeurope',
};

describe('the personalities that come with Trunkline', () => {
  it('are good where they are for measuring', async () => {
    const { personalities, problems } = await loadPersonalities(
      { ...folders, agents: 'bench/latency/agents', prompts: 'bench/latency/prompts' },
      {},
    );
    expect(problems.map(formatProblem)).toEqual([]);
    expect([...personalities.keys()]).toEqual(['ours', 'stock']);
    const stock = personalities.get('stock')?.turn;
    expect(stock).toMatchObject({ detection: 'vad', minDelayMs: 500, preemptiveTts: false });
  });

  it('are good, with keys and without', async () => {
    for (const credentials of [{}, withKeys]) {
      const { personalities, problems } = await loadPersonalities(folders, credentials);
      expect(problems.map(formatProblem)).toEqual([]);
      expect([...personalities.keys()]).toEqual([
        'appointment_reminder',
        'german_assistant',
        'receptionist',
      ]);
      const simulated = [...personalities.values()].map((one) => one.simulated);
      expect(new Set(simulated)).toEqual(new Set([credentials !== withKeys]));
    }
  });

  it('need no more than a key of OpenAI for the receptionist', async () => {
    const { personalities } = await loadPersonalities(folders, { OPENAI_API_KEY: 'k' });
    expect([...personalities.keys()]).toEqual(['receptionist']);
  });

  it('speak in both directions with nothing given, and greet in 4 to 12 plain words', async () => {
    const { personalities } = await loadPersonalities(folders, {});
    for (const personality of personalities.values()) {
      for (const direction of directions) {
        const prompt = renderPrompt(personality, direction, {});
        expect(prompt).not.toMatch(/\{\{|\{%|undefined/);
        expect(prompt).toContain('end_call');
        const greeting = renderGreeting(personality, direction, {});
        if (greeting === undefined) continue;
        const words = greeting.split(/\s+/).length;
        expect(words, greeting).toBeGreaterThanOrEqual(4);
        expect(words, greeting).toBeLessThanOrEqual(12);
        expect(greeting).toMatch(/^[\p{L} ,.?]+$/u);
      }
    }
  });
});
