/** Uncaught exceptions and unhandled rejections of this process, collected instead of fatal. */

/** What has been collected; whoever looks takes it out. */
export const strayErrors: unknown[] = [];

const collect = (error: unknown): void => void strayErrors.push(error);
process.on('unhandledRejection', collect);
process.on('uncaughtException', collect);
