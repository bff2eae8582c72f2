import { ConsoleLogger } from '@nestjs/common';
import { LOG_LEVELS, type LogLevelName } from '../config/environment.js';

/** Contexts of the framework that list every route and module at start; of interest only when something is wrong. */
const CHATTY = ['InstanceLoader', 'NestApplication', 'NestFactory', 'RouterExplorer', 'RoutesResolver'];

/** One JSON object per line, for machines; coloured text when a person is looking. */
export class ShopLogger extends ConsoleLogger {
  constructor(level: LogLevelName, interactive = process.stdout.isTTY) {
    super({
      json: !interactive,
      colors: interactive,
      flattenParams: true,
      prefix: 'shop',
      logLevels: LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1),
    });
  }

  override log(message: unknown, ...optional: unknown[]): void {
    const context = optional.at(-1);
    if (typeof context === 'string' && CHATTY.includes(context)) {
      super.debug(message, ...optional);
    } else {
      super.log(message, ...optional);
    }
  }
}
