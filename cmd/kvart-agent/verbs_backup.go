package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

// statusDocument is what status prints with --json.
type statusDocument struct {
	Verdict  app.Verdict      `json:"verdict"`
	Sources  []sourceDocument `json:"sources"`
	Vault    *app.VaultInfo   `json:"vault"`
	Problems []app.Problemed  `json:"problems,omitempty"`
	Notes    []app.Problemed  `json:"notes,omitempty"`
	Kit      app.KitState     `json:"kit"`

	LockProof *app.LockProof    `json:"lockProof,omitempty"`
	Copies    []app.CopyStatus  `json:"copies,omitempty"`
	Check     *app.CheckReport  `json:"check,omitempty"`
	Use       *app.StorageUse   `json:"use,omitempty"`
	Rule      *app.RuleOfCopies `json:"rule,omitempty"`

	Secrets string `json:"secrets"`
	// Incident is the open one, in short.
	Incident *app.IncidentBrief `json:"incident,omitempty"`
	Unusual  []app.Unusual      `json:"unusual,omitempty"`
	Watch    app.WatchStatus    `json:"watch"`
	Guard    bool               `json:"guard"` // a guard is running
	Job      *app.Job           `json:"job,omitempty"`
}

type sourceDocument struct {
	Name       string          `json:"name"`
	Kind       app.Kind        `json:"kind"`
	State      app.SourceState `json:"state"`
	LastPoint  app.PointID     `json:"lastPoint,omitempty"`
	LastBackup *time.Time      `json:"lastBackup"`
	NextBackup *time.Time      `json:"nextBackup"`
	Proof      app.Proof       `json:"proof,omitempty"`
	Error      *app.Error      `json:"error,omitempty"`
}

func timePtr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func setupStatus(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			st, err := s.Status(ctx)
			if err != nil {
				return err
			}
			out := statusDocument{
				Verdict: st.Verdict, Sources: []sourceDocument{}, Vault: st.Vault, Problems: st.Problems,
				Notes: st.Notes, Kit: st.Kit, LockProof: st.LockProof, Copies: st.Copies, Check: st.Check, Use: st.Use, Rule: st.Rule,
				Secrets: st.Secrets, Guard: st.Serving, Job: st.Job, Incident: st.Incident, Unusual: st.Unusual, Watch: st.Watch,
			}
			c.line("%s", c.words.T("verdict."+string(st.Verdict)))
			for _, src := range st.Sources {
				d := sourceDocument{Name: src.Source.Name, Kind: src.Source.Kind, State: src.State, LastBackup: timePtr(src.SafeUntil), NextBackup: timePtr(src.NextRun), Proof: src.Proof, Error: src.Error}
				when := "–"
				if src.Point != nil {
					d.LastPoint = src.Point.ID
					when = c.words.When(src.SafeUntil, st.Now)
				}
				out.Sources = append(out.Sources, d)
				c.line("  %-24s %-10s %s", d.Name, c.words.T("cli.state."+string(d.State)), when)
			}
			for _, u := range st.Unusual {
				c.question(u)
			}
			for _, n := range st.Notes {
				title, _, _ := assets.ErrorWords(c.words, n.Error)
				c.line("  %s", title)
			}
			return c.document(out)
		})
	}
}

func setupBackup(c *command) func(context.Context) error {
	var sources list
	c.flags.Var(&sources, "source", "a source; all when none is named")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			id, err := s.StartBackup(ctx, sources)
			if err != nil {
				return err
			}
			j, err := c.wait(ctx, s, id)
			runs := j.Runs
			if runs == nil {
				runs = []app.RunResult{}
			}
			for _, r := range runs {
				c.line("%-24s %-8s %s", r.Source, c.words.T("cli.run."+string(r.State)), c.words.T("cli.uploaded", map[string]any{"Bytes": c.words.Bytes(r.BytesUploaded)}))
			}
			if len(runs) == 0 && err != nil {
				return err
			}
			if c.json {
				c.print(map[string]any{"runs": runs})
			}
			return c.quietly(err)
		})
	}
}

func setupDrill(c *command) func(context.Context) error {
	var sources list
	c.flags.Var(&sources, "source", "a source; all when none is named")
	past := c.flags.Bool("history", false, "make none, but tell of earlier ones and how long they took")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if *past {
				return c.drilled(ctx, s, sources)
			}
			id, err := s.StartDrill(ctx, sources)
			if err != nil {
				return err
			}
			j, err := c.wait(ctx, s, id)
			if j.Drills == nil {
				return err
			}
			for _, d := range j.Drills {
				c.line("%-24s %s", d.Source, c.words.Stopwatch(time.Duration(d.Seconds*float64(time.Second))))
				c.checks(d.Checks)
			}
			if c.json {
				c.print(map[string]any{"drills": j.Drills})
			}
			return c.quietly(err)
		})
	}
}

func (c *command) checks(checks []app.Check) {
	for _, k := range checks {
		mark := "✓"
		if !k.OK {
			mark = "✗"
		}
		title, said := assets.CheckWords(c.words, k)
		c.line("  %s %s: %s", mark, title, strings.Join(said, " "))
		if !k.OK && k.Detail != "" {
			c.line("      %s: %s", c.words.T("checks.help"), k.Detail)
		}
	}
}

func setupPause(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		arg, err := c.arg("MINUTES")
		if err != nil {
			return err
		}
		var until time.Time
		if arg != "off" {
			m, err := strconv.Atoi(arg)
			if err != nil || m <= 0 {
				return app.Errorf(app.CodeUsage, "pause", "%q is no number of minutes", arg).With("choices", "MINUTES, off")
			}
			until = time.Now().Add(time.Duration(m) * time.Minute)
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if err := s.Pause(ctx, until); err != nil {
				return err
			}
			c.result(map[string]any{"pausedUntil": timePtr(until)}, "%s", arg)
			return nil
		})
	}
}
