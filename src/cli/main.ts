/** The program `xstate-reconnect`. */
import { Command, CommanderError, Option } from 'commander';
import { InvalidBackoffError } from '../../machines/backoff';
import { InvalidDurationError, parseDuration } from '../../machines/duration';
import { version } from '../../package.json';
import { type BackoffSetting, backoffFlag, backoffFromArgs, backoffSettings, backoffVariable } from '../config';
import { type Chart, chartOf } from '../diagram/chart';
import { toDot } from '../diagram/dot';
import { toMermaid } from '../diagram/mermaid';
import { createReconnectMachine } from '../machine';
import { connect } from './connect';
import { InvalidUrlError, parseEndpoint } from './endpoint';
import { createReport } from './report';
import { inspect, portReader, readServer, startViewer, VIEWER_PORT } from './viewer';

/** The exit code of bad usage. */
const BAD_USAGE = 2;

const HELP: { readonly [Setting in BackoffSetting]: readonly [argument: string, text: string, byDefault: string] } = {
  initial: ['duration', 'how long the first failure waits', '1s'],
  multiplier: ['number', 'what the delay is multiplied by after each wait', '2'],
  max: ['duration', 'the longest delay', '30s'],
  timeout: ['duration', 'how long to keep retrying before giving up; 0s never gives up', '5m'],
  minUptime: ['duration', 'a session that lived shorter counts as a failed attempt', 'as --backoff-initial'],
  jitter: ['kind', 'how each wait is spread: none, equal, full or decorrelated', 'none'],
  attemptTimeout: ['duration', 'how long one attempt may take; 0s lets it take for ever', '0s'],
  maxAttempts: ['number', 'how many attempts may fail before it gives up; 0 sets no limit', '0'],
  deadline: ['kind', 'whether an attempt may overrun the timeout: between-attempts, or strict', 'between-attempts'],
  preset: ['name', 'what the settings not given are: those of origin, default or resilient', 'as told here'],
};

interface ConnectFlags extends Record<string, unknown> {
  wait: number;
  json?: true;
  quiet?: true;
  inspect?: true;
  inspectPort?: number;
}

function createProgram(): Command {
  const program = new Command('xstate-reconnect')
    .description('Keeps a connection alive: reconnects, backs off, and gives up when it should.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(xstate-reconnect --help tells more)')
    .addHelpText('after', EXIT_CODES);

  const command = program
    .command('connect')
    .description('bridge standard input and output to a URL, and keep it connected')
    .argument('<url>', 'ws://, wss://, tcp://host:port or tls://host:port')
    .option('--wait <duration>', 'after the end of the input, how long the other end may be quiet', readWait, 1_000)
    .addOption(new Option('--json', 'tell what happens as JSON, one object a line'))
    .addOption(new Option('--quiet', 'do not tell what happens').conflicts('json'))
    .option('--inspect', 'serve a page on which to see the connection and to steer it')
    .addOption(
      new Option('--inspect-port <port>', 'the port of that page (default: any that is free)')
        .argParser(portReader('--inspect-port'))
        .implies({ inspect: true }),
    )
    .addHelpText('after', CONNECT_HELP)
    .action(runConnect);
  const wait = command.options.find(({ long }) => long === '--wait');
  wait?.default(1_000, '1s');
  for (const setting of backoffSettings) {
    const [argument, text, byDefault] = HELP[setting];
    const about = `${text} (default: ${byDefault}, env: ${backoffVariable(setting)})`;
    command.addOption(new Option(`${backoffFlag(setting)} <${argument}>`, about).argParser(collect));
  }

  program
    .command('inspect')
    .description('serve the page on which apps are seen and steered')
    .option('--port <port>', 'the port to serve it on, of 127.0.0.1', portReader('--port'), VIEWER_PORT)
    .option('--server <url>', 'the app to show: the ws:// address of its inspectOverWebSocket', readServer)
    .action(({ port, server }: { port: number; server?: string }) => inspect(port, server));

  program
    .command('diagram')
    .description('print the statechart as a diagram')
    .addOption(new Option('--format <format>', 'what to print').choices(['mermaid', 'svg', 'dot']).default('mermaid'))
    .action(async ({ format }: { format: keyof typeof DRAWINGS }) => {
      const machine = createReconnectMachine({ connect: () => Promise.reject(new Error('only drawn')) });
      process.stdout.write(await DRAWINGS[format](chartOf(machine)));
    });
  return program;
}

const DRAWINGS = {
  mermaid: toMermaid,
  dot: toDot,
  // Graphviz is large, and nobody else needs it.
  svg: async (chart: Chart) => (await import('../diagram/svg')).toSvg(chart),
};

const EXIT_CODES = `
Exit codes:
  0  interrupted, or the end of the input was reached and all of it was sent
  1  gave up
  2  bad usage`;

const CONNECT_HELP = `
Durations are text such as 250ms or "1h 30m". A flag wins over its environment variable.

A WebSocket sends each line of input as one message, and writes each text message it receives as a line. NODE_EXTRA_CA_CERTS
names a file of certificates to trust beside the system's.

Examples:
  xstate-reconnect connect tcp://127.0.0.1:9000
  tail -f app.log | xstate-reconnect connect wss://logs.example.com/in --backoff-timeout 0s`;

/** All values of a flag: a second one is refused where all the others are. */
function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

function readWait(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    if (!(cause instanceof InvalidDurationError)) throw cause;
    throw new InvalidBackoffError('--wait', text, `a duration such as 250ms or 5s (${cause.message})`, { cause });
  }
}

async function runConnect(url: string, flags: ConnectFlags, command: Command): Promise<void> {
  const endpoint = parseEndpoint(url);
  const args = backoffSettings.flatMap((setting) => {
    const option = command.options.find(({ long }) => long === backoffFlag(setting));
    const values = option && (flags[option.attributeName()] as readonly string[] | undefined);
    return (values ?? []).map((value) => `${backoffFlag(setting)}=${value}`);
  });
  const backoff = backoffFromArgs(args, process.env);
  const format = flags.json ? 'json' : flags.quiet ? 'none' : 'text';
  const report = createReport(process.stderr, format, process.stdout.isTTY);
  const viewer = flags.inspect && (await startViewer(flags.inspectPort));
  if (viewer) report({ type: 'viewer', url: viewer.url });
  process.exitCode = await connect(endpoint, { backoff, wait: flags.wait, report, inspect: viewer?.inspect });
  await viewer?.stop();
}

async function main(): Promise<void> {
  // Nobody is left to be told that nobody reads what we tell.
  process.stderr.on('error', () => {});
  try {
    await createProgram().parseAsync();
  } catch (error) {
    // Commander has already said what is wrong, or shown what was asked for.
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0) process.exitCode = BAD_USAGE;
      return;
    }
    if (!(error instanceof InvalidBackoffError || error instanceof InvalidUrlError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = BAD_USAGE;
  }
}

await main();
