import type { PlanFigures } from '../../contract/query-figures.js';
import { percent } from '../live/format.js';
import { type PlanNode, planNodes } from '../live/plan-nodes.js';
import { Tag } from './basics.js';

function Node({ text, share, isCostly, children }: PlanNode) {
  return (
    <li>
      <span class={isCostly ? 'node costly' : 'node'}>
        <code>{text}</code>
        {share !== null && <span class="share">{percent(share)} of the cost</span>}
        {isCostly && <Tag level="warning">the costly one</Tag>}
      </span>
      {children.length > 0 && <Nodes nodes={children} />}
    </li>
  );
}

function Nodes({ nodes }: { nodes: readonly PlanNode[] }) {
  return (
    <ul>
      {nodes.map((it, index) => (
        <Node key={index} {...it} />
      ))}
    </ul>
  );
}

export function PlanTree(plan: Pick<PlanFigures, 'outline' | 'nodeCosts'>) {
  return (
    <div class="plan scroll" role="group" aria-label="Nodes of the plan" tabIndex={0}>
      <Nodes nodes={planNodes(plan)} />
    </div>
  );
}
