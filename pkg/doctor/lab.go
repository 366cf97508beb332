package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// labImages is what the environment's lab needs: images and compose.
type labImages struct{ *Patient }

func (labImages) Name() string         { return "lab" }
func (labImages) Limit() time.Duration { return 2 * asking }

// stocked is what there is for the lab.
func (p *Patient) stocked(ctx context.Context) (s target.Stock, err error) {
	if p.Lab.IsZero() || p.Labs == nil {
		return s, fmt.Errorf("labs %w by this environment", target.ErrUnsupported)
	}
	site, err := p.site()
	if err != nil {
		return s, err
	}
	labs, err := p.Labs(site)
	if err != nil {
		return s, err
	}
	stocker, err := target.As[target.Stocker](labs)
	if err != nil {
		return s, err
	}
	return stocker.Stock(ctx, p.Lab)
}

func (c labImages) Look(context.Context) []Finding {
	if !c.reached() {
		return nil // the finding of the engine says so
	}
	s, err := c.stock()
	if err != nil {
		f := unknown(err)
		f.Needed = true
		return []Finding{f}
	}
	return []Finding{images(c.Lab, s), tool(s)}
}

// images is whether they are built. That they are not costs time, and nothing else: the
// first start builds them.
func images(lab target.Lab, s target.Stock) Finding {
	all := len(s.There) + len(s.Missing)
	f := ok("%d of %d images of lab %s are built", len(s.There), all, lab.Name)
	f.Subject = "images"
	if len(s.Missing) == 0 {
		return f
	}
	f.Status, f.Mend = Lacking, "gameday lab up "+lab.String()
	f.Cost = "the first start builds them, which takes a few minutes"
	if s.Base == "" {
		f.Cost += "; it pulls debian:bookworm-slim for that, or makes it with debootstrap"
	}
	return f
}

func tool(s target.Stock) Finding {
	f := ok("%s", s.Tool)
	if s.NoTool != nil {
		f = Finding{Status: Lacking, Found: s.NoTool.Error(), Cost: "bundled labs cannot be started", Mend: "sudo apt-get install -y docker-compose"}
	}
	f.Subject, f.Needed = "compose", true
	return f
}
