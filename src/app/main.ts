import 'reflect-metadata';
import { runService } from './lifecycle/run-service.js';

await runService();
