import { Controller, type DynamicModule, Get } from '@nestjs/common';
import { MetricsModule } from '@peregrine/metrics';

// Node strips types and knows no decorators, so they are called as what they are.
export class HelloController {
  hello(): { message: string } {
    return { message: 'hello' };
  }
}
/** What decorators of its method take. */
export const HELLO: [object, 'hello', PropertyDescriptor] = [
  HelloController.prototype,
  'hello',
  Object.getOwnPropertyDescriptor(HelloController.prototype, 'hello') as PropertyDescriptor,
];
Get('hello')(...HELLO);
Controller()(HelloController);

class HelloModule {}

/** Nest on Fastify. */
export const bareModule = (): DynamicModule => ({ module: HelloModule, controllers: [HelloController] });

/** With figures. */
export const timedModule = (): DynamicModule => ({
  ...bareModule(),
  imports: [MetricsModule.forRoot({ path: false, isGlobal: true })],
});
