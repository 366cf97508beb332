package docker

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Limits implements [target.Limiter].
func (h *handle) Limits(ctx context.Context) (target.Limits, error) {
	seen, err := h.env.client.ContainerInspect(ctx, h.id)
	if err != nil {
		return target.Limits{}, h.said("read the limits of", err)
	}
	r := seen.HostConfig.Resources
	l := target.Limits{NanoCPUs: r.NanoCPUs, CPUQuota: r.CPUQuota, CPUPeriod: r.CPUPeriod, Memory: r.Memory, Swap: r.MemorySwap}
	if r.PidsLimit != nil {
		l.PIDs = *r.PidsLimit
	}
	return l, nil
}

// Machine implements [target.Machine].
func (h *handle) Machine(ctx context.Context) (target.Capacity, error) {
	info, err := h.env.client.Info(ctx)
	if err != nil {
		return target.Capacity{}, fmt.Errorf("ask the engine what its machine has: %w", err)
	}
	seen, err := h.env.client.ContainerInspect(ctx, h.id)
	if err != nil {
		return target.Capacity{}, h.said("read the limits of", err)
	}
	return target.Capacity{CPUs: cpusOf(seen.HostConfig.CpusetCpus, info.NCPU), Memory: info.MemTotal}, nil
}

// cpusOf is how many processors a list such as 0-2,7 has; all of them if there is no list,
// or it cannot be read.
func cpusOf(list string, all int) int {
	if list == "" {
		return all
	}
	n := 0
	for part := range strings.SplitSeq(list, ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || to < from {
			return all
		}
		n += to - from + 1
	}
	return n
}

// SetLimits implements [target.Limiter]. To the engine, 0 means "as it is": no
// limit is -1.
func (h *handle) SetLimits(ctx context.Context, to target.Limits) error {
	now, err := h.Limits(ctx)
	if err != nil {
		return err
	}
	// Only what changes: the order may be carried out late, when another limit was put back.
	var update container.Resources
	if now.Memory != to.Memory || now.Swap != to.Swap {
		update.Memory, update.MemorySwap = to.Memory, to.Swap
	}
	if to.NanoCPUs > 0 {
		if now.NanoCPUs != to.NanoCPUs {
			update.NanoCPUs = to.NanoCPUs
		}
	} else if now.CPUQuota != to.CPUQuota || now.CPUPeriod != to.CPUPeriod {
		update.CPUQuota, update.CPUPeriod = cmp.Or(to.CPUQuota, -1), cmp.Or(to.CPUPeriod, 100_000)
	}
	if now.PIDs != to.PIDs {
		update.PidsLimit = new(cmp.Or(to.PIDs, -1))
	}
	_, err = h.env.client.ContainerUpdate(ctx, h.id, container.UpdateConfig{Resources: update})
	return h.said("set the limits of", err)
}
