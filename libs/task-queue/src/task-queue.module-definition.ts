import { ConfigurableModuleBuilder } from '@nestjs/common';
import { type TaskQueueOptionsInput } from './task-queue.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<TaskQueueOptionsInput>({ moduleName: 'TaskQueue' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, extras) => ({ ...definition, global: extras.isGlobal }))
    .build();
