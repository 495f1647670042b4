import 'reflect-metadata';
import { PlatformModule, runService } from '@peregrine/runtime';

// The worker's own server has only the probes and the figures.
await runService({ name: 'worker', module: (settings) => PlatformModule.forRoot(settings, 'worker') });
