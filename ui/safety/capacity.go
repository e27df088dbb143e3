package safety

import (
	"context"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// capacityView is what a rehearsal showed, or has shown so far.
type capacityView struct {
	Head, Result, End string
	Steps             []capacityStep
}

type capacityStep struct{ Visitors, Pages, Times string }

func modelCapacity(w *assets.Words, r app.CapacityResult, now time.Time) capacityView {
	v := capacityView{Head: w.T("capacity.under", assets.Args{"Where": r.URL, "When": w.When(r.Started, now)}), Result: w.T("capacity.told_nothing")}
	switch {
	case r.Slow > 0:
		v.Result = w.N("capacity.slow", int64(r.Slow))
	case r.Stood > 0 && r.End == app.CapacityEndCeiling:
		v.Result = w.N("capacity.not_reached", int64(r.Stood))
	case r.Stood > 0:
		v.Result = w.N("capacity.stood", int64(r.Stood))
	case r.End == app.CapacityEndErrors && len(r.Steps) > 0:
		v.Result = w.N("capacity.errors", int64(r.Steps[len(r.Steps)-1].Visitors))
	}
	if r.End != "" {
		v.End = w.T("capacity.end." + string(r.End))
	} else {
		v.Result = w.T("peaks.capacity.running")
	}
	for _, st := range r.Steps {
		v.Steps = append(v.Steps, capacityStep{
			Visitors: w.N("capacity.visitors", int64(st.Visitors)),
			Pages:    w.N("capacity.step", int64(st.Asked), assets.Args{"Errors": w.Number(int64(st.Errors))}),
			Times:    w.T("capacity.times", assets.Args{"Median": w.Number(st.Median), "P95": w.Number(st.P95)}),
		})
	}
	return v
}

// parseCeiling reads the most visitors a minute; nothing means the usual.
func parseCeiling(typed string) (n int, ok bool) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return app.CapacityUsual, true
	}
	n, err := strconv.Atoi(typed)
	return n, err == nil && n > 0 && n <= app.CapacityCeiling
}

// capacity is the page on which a rush is rehearsed.
type capacity struct {
	s       *Screen
	proof   *app.ShopProof // nil until it was looked for
	refused error          // why none can be rehearsed
	past    []app.CapacityResult
	agreed  bool
	ceiling string
	said    *widgets.Text
	begin   *widgets.Button
	saved   string
}

func (s *Screen) openCapacity() {
	s.trouble.Show(nil, nil)
	s.page = pageCapacity
	s.object.ScrollToTop()
	c := &capacity{s: s, ceiling: strconv.Itoa(app.CapacityUsual)}
	s.leaf = c
	c.draw()
	c.loadPast()
	c.prove()
}

func (c *capacity) loadPast() {
	c.s.env.Go(func(ctx context.Context) func() {
		list, err := c.s.env.Service.Capacities(ctx)
		return func() {
			if c.s.leaf != leaf(c) {
				return
			}
			if err != nil {
				c.s.trouble.Show(err, c.loadPast)
				return
			}
			c.past = list
			c.draw()
		}
	})
}

// prove looks for the proof that the shop is the owner's. That it is refused is
// told on the page, not as a failure of what the owner did.
func (c *capacity) prove() {
	c.s.env.Go(func(ctx context.Context) func() {
		proof, err := c.s.env.Service.ProveShop(ctx)
		return func() {
			if c.s.leaf != leaf(c) {
				return
			}
			c.proof, c.refused = &proof, err
			c.draw()
		}
	})
}

func (c *capacity) back() bool {
	c.s.openPeak()
	return true
}

func (c *capacity) submit() {
	if c.begin == nil || c.begin.Disabled() {
		return
	}
	n, _ := parseCeiling(c.ceiling)
	r := app.CapacityRequest{Ceiling: n, Agreed: c.agreed}
	c.agreed = false // each rush is agreed to by itself
	c.s.start(func(ctx context.Context) (app.JobID, error) { return c.s.env.Service.StartCapacity(ctx, r) })
	c.draw()
}

func (c *capacity) check() {
	if c.begin == nil {
		return
	}
	_, ok := parseCeiling(c.ceiling)
	words := c.s.env.T("peaks.capacity.ceiling.hint")
	if !ok {
		words = c.s.env.Words.N("peaks.capacity.ceiling.bad", app.CapacityCeiling, assets.Args{"Most": c.s.env.Words.Number(app.CapacityCeiling)})
	}
	c.said.Set(words)
	c.begin.SetEnabled(ok && c.agreed && !c.s.worker.Busy() && c.s.vm.Job == nil)
	widgets.Relayout(c.s.object)
}

// running returns the rehearsal that runs, nil for none.
func (c *capacity) running() *app.Job {
	if j := c.s.status.Job; j != nil && j.Kind == app.JobCapacity && j.State == app.JobRunning {
		return j
	}
	return nil
}

func (c *capacity) draw() {
	s, t := c.s, c.s.env.T
	c.begin = nil
	objects := []fyne.CanvasObject{s.title("capacity.title", "peaks.capacity.text")}
	j := c.running()
	switch {
	case j != nil:
		if j.Capacity != nil {
			objects = append(objects, c.resultCard(*j.Capacity, "peaks.capacity.now", nil))
		}
	case c.refused != nil:
		objects = append(objects, c.refusedCard())
	case c.proof == nil:
		objects = append(objects, widgets.NewText(t("setup.busy"), widgets.Muted()))
	case c.proof.Proven.IsZero():
		objects = append(objects, c.proveCard())
	default:
		objects = append(objects, c.beginCard())
	}
	for i, r := range c.past {
		var buttons []fyne.CanvasObject
		key := "peaks.capacity.earlier"
		if i == 0 {
			key = "peaks.capacity.newest"
			buttons = []fyne.CanvasObject{widgets.NewButton(t("peaks.capacity.save"), c.savePaper)}
		}
		if i < shownCapacities {
			objects = append(objects, c.resultCard(r, key, buttons))
		}
	}
	s.put(append(objects, s.backButton())...)
	c.check()
}

// shownCapacities is how many results are shown.
const shownCapacities = 3

// refusedCard says why no rush can be rehearsed, and what else can be done.
func (c *capacity) refusedCard() fyne.CanvasObject {
	p := screen.Explain(c.s.env.Words, c.refused, "")
	if app.CodeOf(c.refused) == app.CodeStorefrontNone {
		p.Button = c.s.env.T("ready.do.shop")
		return screen.ProblemCard(p, func() { c.s.env.Show(screen.Place{Screen: screen.Settings, Part: screen.PartStorefront}) })
	}
	if app.CodeOf(c.refused) == app.CodeCapacityHosted {
		var asks []string
		for _, a := range app.ReadyAsks() {
			asks = append(asks, c.s.env.T("ready.ask."+a))
		}
		return widgets.Column(widgets.Gap16, screen.NoteCard(p, nil), widgets.NewCard(widgets.Column(widgets.Gap8,
			widgets.NewText(c.s.env.T("ready.item.platform"), widgets.Sub()),
			widgets.Code(strings.Join(asks, "\n"), c.s.env.T("peaks.copy"), c.s.env.T("peaks.copied")))))
	}
	return screen.ProblemCard(p.Retry(c.s.env.Words), func() { c.refused, c.proof = nil, nil; c.draw(); c.prove() })
}

// proveCard says where to place what shows that the shop is the owner's.
func (c *capacity) proveCard() fyne.CanvasObject {
	t := c.s.env.T
	args := assets.Args{"Where": c.proof.URL, "File": c.proof.File}
	return widgets.NewCard(widgets.Column(widgets.Gap8,
		widgets.NewText(t("peaks.prove"), widgets.Sub()), widgets.NewText(t("peaks.prove.text", args), widgets.Body()),
		widgets.NewText(t("peaks.prove.file", args), widgets.Strong()), widgets.Code(c.proof.Token, t("peaks.copy"), t("peaks.copied")),
		widgets.NewText(t("peaks.prove.meta"), widgets.Strong()), widgets.Code(c.proof.Meta, t("peaks.copy"), t("peaks.copied")),
		widgets.Leading(widgets.NewPrimary(t("peaks.prove.look"), c.prove))))
}

// beginCard asks for the owner's consent, and begins.
func (c *capacity) beginCard() fyne.CanvasObject {
	t := c.s.env.T
	c.said = widgets.NewText("", widgets.Caption())
	c.begin = widgets.NewPrimary(t("ready.do.capacity"), c.submit)
	ceiling := widgets.NewEntry(c.ceiling, func(v string) { c.ceiling = v; c.check() })
	return widgets.NewCard(widgets.Column(widgets.Gap8,
		widgets.Row(widgets.Gap12, nil, widgets.NewText(t("peaks.consent"), widgets.Sub()), widgets.NewPill(t("peaks.prove.proven"), widgets.ToneGood)),
		widgets.NewText(t("peaks.consent.text", assets.Args{"Where": c.proof.URL}), widgets.Body()),
		widgets.NewText(t("peaks.consent.stops"), widgets.Body()),
		widgets.NewText(t("peaks.capacity.ceiling"), widgets.Caption()), widgets.Leading(widgets.Sized(120, 0, ceiling)), c.said,
		widgets.NewText(t("peaks.consent.own"), widgets.Body()),
		widgets.NewCheck(t("peaks.consent.yes"), c.agreed, func(on bool) { c.agreed = on; c.check() }),
		widgets.Leading(c.begin)))
}

func (c *capacity) resultCard(r app.CapacityResult, title string, buttons []fyne.CanvasObject) fyne.CanvasObject {
	v := modelCapacity(c.s.env.Words, r, c.s.env.Now())
	rows := []fyne.CanvasObject{
		widgets.NewText(c.s.env.T(title), widgets.Sub()), widgets.NewText(v.Head, widgets.Caption()), widgets.NewText(v.Result, widgets.Strong()),
	}
	if v.End != "" {
		rows = append(rows, widgets.NewText(v.End, widgets.Body()))
	}
	for _, st := range v.Steps {
		rows = append(rows, widgets.Line(), widgets.Columns([]float32{26, 34, 40},
			widgets.NewText(st.Visitors, widgets.Strong()), widgets.NewText(st.Pages, widgets.Caption()), widgets.NewText(st.Times, widgets.Caption())))
	}
	if len(buttons) > 0 {
		rows = append(rows, widgets.Leading(buttons...))
		if c.saved != "" {
			rows = append(rows, widgets.NewText(c.s.env.T("peaks.capacity.saved", assets.Args{"Path": c.saved}), widgets.Body().In(widgets.ToneGood.Text())))
		}
	}
	return widgets.NewCard(widgets.Column(widgets.Gap8, rows...))
}

// savePaper saves the newest result for the host.
func (c *capacity) savePaper() {
	f := &screen.Frame{Env: c.s.env, Worker: c.s.worker, Trouble: c.s.trouble}
	screen.SavePaper(f, c.s.env.T("peaks.capacity.paper"), func(ctx context.Context) ([]byte, error) {
		return c.s.env.Service.CapacityReport(ctx, app.CapacityReportRequest{Format: app.ReportPDF})
	}, func(path string) {
		if c.s.leaf == leaf(c) {
			c.saved = path
			c.draw()
		}
	})
}
