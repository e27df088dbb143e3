package agent

import (
	"context"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// hostedKinds are kinds of shops on a platform that others run.
type hostedKinds struct{ kinds }

func (k hostedKinds) Specs() []app.KindSpec {
	s := k.Spec()
	s.Hosted = true
	return []app.KindSpec{s}
}

func stands(n int) func(context.Context, app.CapacityRun) app.CapacityResult {
	return func(_ context.Context, r app.CapacityRun) app.CapacityResult {
		res := app.CapacityResult{URL: r.Storefront.URL, Ceiling: r.Ceiling, Stood: n, Slow: n + 100, End: app.CapacityEndSlow}
		for _, v := range []int{n, n + 100} {
			res.Steps = append(res.Steps, app.CapacityStep{Visitors: v, Asked: v / 2, Median: 200, P95: int64(v) * 10, Seconds: 30})
			r.Stepped(res.Steps[len(res.Steps)-1])
		}
		return res
	}
}

func TestCapacity_onlyWithProofAndConsent(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.lamp.rehearse = stands(230)
	agreed := app.CapacityRequest{Agreed: true}
	wantRefused := func(r app.CapacityRequest, code app.Code) {
		t.Helper()
		if _, err := w.StartCapacity(t.Context(), r); app.CodeOf(err) != code {
			t.Errorf("%+v: %v, want %s", r, err, code)
		}
	}
	wantRefused(agreed, app.CodeCapacityUnproven)
	p, err := w.ProveShop(t.Context())
	if err != nil || !p.Proven.IsZero() || len(p.Token) < 20 || p.File != "https://kopp.example/.well-known/kvart-"+p.Token+".txt" || !strings.Contains(p.Meta, p.Token) {
		t.Fatalf("%+v, %v", p, err)
	}
	wantRefused(agreed, app.CodeCapacityUnproven)
	w.lamp.way = "file"
	if q, err := w.ProveShop(t.Context()); err != nil || q.Token != p.Token || q.Proven.IsZero() || q.Way != "file" {
		t.Fatalf("%+v, %v", q, err)
	}
	w.wantReady(map[app.ReadyCode]string{app.ReadyCapacity: "not_needed capacity_never capacity"})
	wantRefused(app.CapacityRequest{}, app.CodeUsage)
	wantRefused(app.CapacityRequest{Agreed: true, Ceiling: app.CapacityCeiling + 1}, app.CodeUsage)
	wantRefused(app.CapacityRequest{Agreed: true, Ceiling: -1}, app.CodeUsage)
	if _, err := w.CapacityReport(t.Context(), app.CapacityReportRequest{Format: app.ReportMarkdown}); app.CodeOf(err) != app.CodeCapacityNone {
		t.Errorf("a report of nothing: %v", err)
	}
	j := w.job(w.StartCapacity(t.Context(), agreed))
	if j.Error != nil || j.Kind != app.JobCapacity || j.Capacity.Stood != 230 || j.Capacity.Ceiling != app.CapacityUsual {
		t.Fatalf("%+v", j)
	}
	w.crash()
	all, err := w.Capacities(t.Context())
	if err != nil || len(all) != 1 || all[0].Slow != 330 || all[0].Ended.IsZero() {
		t.Errorf("%+v, %v", all, err)
	}
	w.wantReady(map[app.ReadyCode]string{app.ReadyCapacity: "not_ready capacity_slow host"})
	b, err := w.CapacityReport(t.Context(), app.CapacityReportRequest{Format: app.ReportMarkdown, Language: "sv"})
	if err != nil || !strings.Contains(string(b), "330 besökare i minuten") || !strings.Contains(string(b), "https://kopp.example") {
		t.Errorf("%s, %v", b, err)
	}
	w.later(app.ProofAge + time.Hour)
	wantRefused(agreed, app.CodeCapacityUnproven)
	// the proof was taken away meanwhile
	if _, err := w.ProveShop(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.lamp.way = ""
	if j := w.job(w.StartCapacity(t.Context(), agreed)); codeOf(j.Error) != app.CodeCapacityUnproven {
		t.Errorf("without its proof: %+v", j)
	}
	// another shop's proof is no proof of this one
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{Settings: app.WatchSettings{Storefront: &app.StorefrontSettings{URL: "https://annan.example"}}}); err != nil {
		t.Fatal(err)
	}
	if q, err := w.ProveShop(t.Context()); err != nil || q.Token == p.Token {
		t.Errorf("%+v, %v", q, err)
	}
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{}); err != nil {
		t.Fatal(err)
	}
	wantRefused(agreed, app.CodeStorefrontNone)
}

func TestCapacity_neverForAHostedShop(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.lamp.way = "file"
	w.known = hostedKinds{kinds{w.shop}}
	w.crash()
	if _, err := w.ProveShop(t.Context()); app.CodeOf(err) != app.CodeCapacityHosted {
		t.Errorf("proven: %v", err)
	}
	if _, err := w.StartCapacity(t.Context(), app.CapacityRequest{Agreed: true}); app.CodeOf(err) != app.CodeCapacityHosted {
		t.Errorf("started: %v", err)
	}
	w.wantReady(map[app.ReadyCode]string{app.ReadyCapacity: "not_needed capacity_hosted", app.ReadyPlatform: "unknown platform_ask ask"})
}

func TestCapacity_endsWithAnIncidentAndWhenItIsTold(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.lamp.way = "meta"
	if _, err := w.ProveShop(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	w.lamp.rehearse = func(ctx context.Context, r app.CapacityRun) app.CapacityResult {
		r.Stepped(app.CapacityStep{Visitors: 20, Asked: 20})
		close(begun)
		<-ctx.Done()
		return app.CapacityResult{URL: r.Storefront.URL, Stood: 20, End: app.CapacityEndCanceled}
	}
	id, err := w.StartCapacity(t.Context(), app.CapacityRequest{Agreed: true})
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	if again, err := w.StartCapacity(t.Context(), app.CapacityRequest{Agreed: true}); err != nil || again != id {
		t.Errorf("a second one beside it: %s, %v", again, err)
	}
	if st := w.status(); st.Job == nil || st.Job.Capacity == nil || len(st.Job.Capacity.Steps) != 1 || st.Job.Step != app.StepCapacity {
		t.Errorf("job %+v", st.Job)
	}
	if j := w.backup(); j.Error != nil { // backups go on beside it
		t.Errorf("backup %+v", j)
	}
	if err := w.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if j := w.job(id, nil); j.State != app.JobCanceled || j.Capacity.Stood != 20 {
		t.Errorf("%+v", j)
	}
	if all, err := w.Capacities(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	w.lamp.rehearse = func(_ context.Context, r app.CapacityRun) app.CapacityResult {
		if end := r.Stop(); end != "" {
			t.Errorf("ended at once: %s", end)
		}
		if _, err := w.StartIncident(t.Context(), app.IncidentRequest{Playbook: app.PlaybookShopDown}); err != nil {
			t.Error(err)
		}
		return app.CapacityResult{End: r.Stop()}
	}
	if j := w.job(w.StartCapacity(t.Context(), app.CapacityRequest{Agreed: true})); j.Capacity.End != app.CapacityEndIncident {
		t.Errorf("%+v", j)
	}
	if _, err := w.StartCapacity(t.Context(), app.CapacityRequest{Agreed: true}); app.CodeOf(err) != app.CodeIncidentOpen {
		t.Errorf("while an incident is open: %v", err)
	}
}
