import { execFileSync } from 'node:child_process';

/**
 * Another machine on this one: a network namespace with a cable (veth) to here, which a test may pull. Needs root.
 */
export class OtherMachine {
  /** This machine's address, as the other one reaches it. */
  readonly here: string;
  readonly #name: string;

  private constructor(name: string, here: string) {
    this.#name = name;
    this.here = here;
  }

  /** Whether this user may make namespaces. */
  static get isPossible(): boolean {
    return process.getuid?.() === 0;
  }

  static connect(): OtherMachine {
    // Few namespaces live at a time, and their names must be short: those of interfaces have 15 letters.
    const number = process.pid % 250;
    const name = `tl${process.pid}`;
    const [here, there] = [`10.213.${number}.1`, `10.213.${number}.2`];
    const machine = new OtherMachine(name, here);
    ip('netns', 'add', name);
    ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name);
    ip('addr', 'add', `${here}/30`, 'dev', `${name}a`);
    ip('link', 'set', `${name}a`, 'up');
    machine.#inside('ip', 'addr', 'add', `${there}/30`, 'dev', `${name}b`);
    machine.#inside('ip', 'link', 'set', `${name}b`, 'up');
    machine.#inside('ip', 'link', 'set', 'lo', 'up');
    return machine;
  }

  /** What stands before a command that is to run on the other machine. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** Nothing goes through, and neither side is told. */
  pullCable(): void {
    ip('link', 'set', `${this.#name}a`, 'down');
  }

  plugCable(): void {
    ip('link', 'set', `${this.#name}a`, 'up');
  }

  remove(): void {
    ip('netns', 'del', this.#name);
  }

  #inside(...command: string[]): void {
    const [program = '', ...args] = [...this.prefix, ...command];
    execFileSync(program, args);
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args);
}
