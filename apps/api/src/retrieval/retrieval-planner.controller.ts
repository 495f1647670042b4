import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { PlanChooser, RetrievalCalibration } from '@peregrine/retrieval';
import { RequireScope } from '../access/access.decorators.js';
import { plannerSchema } from './planner.schemas.js';

/** How plans are chosen, and how well, for those who run it. */
@ApiTags('Operations')
@RequireScope('admin')
@Controller('retrieval/planner')
export class RetrievalPlannerController {
  constructor(
    private readonly plans: PlanChooser,
    private readonly calibration: RetrievalCalibration,
  ) {}

  @Get()
  @ApiOperation({
    summary:
      'How plans of retrieval are chosen in this process: regret, exploration, predictions, drift; and the certainty of answers',
  })
  @ApiResponse({ status: 200, standardSchema: plannerSchema })
  planner() {
    return { certainty: this.calibration.report(), ...this.plans.planner.report() };
  }
}
