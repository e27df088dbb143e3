package main

import (
	"bufio"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

// restoreDocument is what restore and undo print with --json.
type restoreDocument struct {
	State     app.RestoreState `json:"state"`
	Seconds   float64          `json:"seconds"`
	Checks    []app.Check      `json:"checks"`
	UndoPoint app.PointID      `json:"undoPoint,omitempty"` // of the first source; all are in restores
	Restore   app.RestoreID    `json:"restore"`
	// Goal is how long it may take, Left what had nothing to bring back, Copy the
	// second copy that stood in for the storage.
	Goal  float64         `json:"goal"`
	Left  []app.Problemed `json:"left,omitempty"`
	Copy  string          `json:"copy,omitempty"`
	Error *app.Error      `json:"error,omitempty"`
}

func setupRestore(c *command) func(context.Context) error {
	var sources, paths list
	var r app.RestoreRequest
	c.flags.Var(&sources, "source", "a source; all when none is named")
	c.flags.Var(&paths, "path", "a file or folder of the backup; all when none is named")
	point := c.flags.String("point", "", "a backup; the newest verified when none is named")
	at := c.flags.String("at", "", "the newest verified backup not after a time")
	to := c.flags.String("to", "", "another folder, instead of the original place")
	c.flags.StringVar(&r.Target.Database, "to-database", "", "a new database beside the original one, instead of it")
	plan := c.flags.Bool("plan", false, "only say what would be done")
	yes := c.flags.Bool("yes", false, "do not ask")
	c.flags.BoolVar(&r.EvenInfected, "even-infected", false, "although an incident says that this computer is infected")
	return func(ctx context.Context) (err error) {
		r.Sources, r.Paths, r.Point = sources, paths, app.PointID(*point)
		if r.At, err = parseTime(*at); err != nil {
			return err
		}
		if *to != "" && r.Target.Database != "" {
			return app.Errorf(app.CodeUsage, "read flags", "--to and --to-database are two places: choose one").With("choices", "--to, --to-database")
		}
		if *to != "" {
			// the guard has another working folder than this command
			if r.Target.Dir, err = filepath.Abs(*to); err != nil {
				return app.Errorf(app.CodeUsage, "read flags", "%w", err).With("field", "to")
			}
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			p, err := s.PlanRestore(ctx, r)
			if err != nil {
				return err
			}
			if *plan && c.json {
				c.print(p)
				return nil
			}
			c.showPlan(p)
			if *plan {
				for _, s := range p.Sources {
					c.tell(s.Plan.Blockers)
				}
				return nil
			}
			if b := p.Blocked(); b != nil {
				return b
			}
			if !*yes && !c.confirm() {
				return app.Errorf(app.CodeCanceled, "restore", "not confirmed")
			}
			id, err := s.StartRestore(ctx, r)
			if err != nil {
				return err
			}
			return c.restored(ctx, s, id)
		})
	}
}

func (c *command) showPlan(p app.RestorePlan) {
	for _, s := range p.Sources {
		c.line("%s: %s → %s (%s)", s.Source, s.Point.Time.Local().Format("2006-01-02 15:04"), s.Plan.Where, c.words.Bytes(s.Plan.Bytes))
		c.tell(s.Plan.Warnings)
	}
	for _, l := range p.Left {
		title, _, _ := assets.ErrorWords(c.words, l.Error)
		c.line("%s: %s", l.Source, title)
	}
	if p.Copy != "" {
		c.line("%s", c.words.T("cli.copy_stands_in", map[string]any{"Copy": p.Copy}))
	}
}

// tell says things about a plan in the owner's words.
func (c *command) tell(what []*app.Error) {
	for _, e := range what {
		title, meaning, next := assets.ErrorWords(c.words, e)
		c.line("  %s. %s %s", title, meaning, hint(next, e))
	}
}

// confirm asks on the terminal; with --json nobody is there to ask.
func (c *command) confirm() bool {
	if c.json {
		return false
	}
	fmt.Fprint(c.out, c.words.T("cli.confirm")+" ")
	line, err := bufio.NewReader(c.in).ReadString('\n')
	if err != nil {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes", "j", "ja":
		return true
	}
	return false
}

// restored waits for a restore and says how it went.
func (c *command) restored(ctx context.Context, s app.Service, id app.JobID) error {
	j, err := c.wait(ctx, s, id)
	if j.Restore == nil {
		return err
	}
	out := restoreDocument{
		State: j.Restore.State, Seconds: j.Ended.Sub(j.Started).Seconds(), Checks: j.Restore.Checks,
		Restore: j.Restore.ID, Goal: app.RestoreGoal.Seconds(), Left: j.Restore.Left, Copy: j.Restore.Copy, Error: j.Restore.Error,
	}
	if out.Checks == nil {
		out.Checks = []app.Check{}
	}
	for _, p := range j.Restore.Sources {
		if out.UndoPoint == "" {
			out.UndoPoint = p.Safety
		}
	}
	c.checks(out.Checks)
	if err == nil {
		key := "cli.restored"
		if !j.Restore.Target.Original() || j.Restore.Undoes != "" {
			key = "cli.restored_elsewhere" // an undo would take back another restore
		}
		c.line("%s", c.words.T(key, map[string]any{"Time": c.words.Stopwatch(time.Duration(out.Seconds * float64(time.Second)))}))
	}
	if c.json {
		c.print(out)
	}
	return c.quietly(err)
}

func setupUndo(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			var id app.RestoreID
			if len(c.args) > 0 {
				id = app.RestoreID(c.args[0])
			}
			job, err := s.StartUndo(ctx, id)
			if err != nil {
				return err
			}
			return c.restored(ctx, s, job)
		})
	}
}
