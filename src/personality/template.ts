import { Liquid, type Template } from 'liquidjs';
import { asError } from '../platform/errors.ts';

/** A value that a template may be given. */
type VariableValue = string | number | boolean;
export type Variables = Readonly<Record<string, VariableValue>>;

/** One thing wrong with a template; line and column count from 1. */
type TemplateProblem = { line: number; column: number; message: string };

export type TemplateCheck = {
  problems: TemplateProblem[];
  /** Every variable that must come from outside, where it is used. */
  variables: { name: string; line: number; column: number }[];
};

/** Characters that a template may have. */
const PARSE_LIMIT = 100_000;
/** Milliseconds that filling one in may take: the caller waits meanwhile. */
const RENDER_LIMIT_MS = 200;
/** Objects and characters that filling one in may make. */
const MEMORY_LIMIT = 2_000_000;

/** Tags that read other files; a prompt is one file, so that its text is all that the model is told. */
const FILE_TAGS = ['include', 'render', 'layout', 'block'];

/** Checks a Liquid template without filling it in. */
export function checkTemplate(text: string): TemplateCheck {
  const liquid = createLiquid();
  try {
    const { globals } = liquid.analyzeSync(liquid.parse(text), { partials: false });
    const variables = Object.entries(globals).flatMap(([name, uses]) =>
      uses.map(({ location }) => ({ name, line: location.row, column: location.col })),
    );
    return { problems: [], variables };
  } catch (thrown) {
    return { problems: [describe(thrown)], variables: [] };
  }
}

/**
 * Fills a Liquid template in. A variable that is not given is an error, never an empty gap.
 *
 * @throws where the template is broken, a variable is missing, or a limit is passed.
 */
export function fillTemplate(text: string, variables: Variables): string {
  const liquid = createLiquid();
  const template: Template[] = liquid.parse(text);
  return String(liquid.renderSync(template, { ...variables }));
}

function createLiquid(): Liquid {
  const liquid = new Liquid({
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    parseLimit: PARSE_LIMIT,
    renderLimit: RENDER_LIMIT_MS,
    memoryLimit: MEMORY_LIMIT,
  });
  for (const tag of FILE_TAGS) Reflect.deleteProperty(liquid.tags, tag);
  return liquid;
}

/** Liquid's own errors carry their place in the message and in the token. */
function describe(thrown: unknown): TemplateProblem {
  const error = asError(thrown);
  const token: unknown = Reflect.get(error, 'token');
  const getPosition: unknown =
    typeof token === 'object' && token !== null ? Reflect.get(token, 'getPosition') : undefined;
  const position: unknown = typeof getPosition === 'function' ? getPosition.call(token) : [1, 1];
  const [line = 1, column = 1] = Array.isArray(position) ? position.map(Number) : [];
  return { line, column, message: error.message.replace(/, line:\d+, col:\d+$/, '') };
}
