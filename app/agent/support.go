package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"kvart/app"
)

// supportLines is how many of the log's last lines are shown to who helps.
const supportLines = 300

// Support implements [app.SupportService].
func (a *Agent) Support(ctx context.Context) (app.SupportBundle, error) {
	st, err := a.Status(ctx)
	if err != nil {
		return app.SupportBundle{}, err
	}
	d := a.Store.Document()
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // paths of any home are left out as well
	}
	var people []string
	if u, err := user.Current(); err == nil { // some systems know nobody: names in paths are left out as well
		_, login, _ := strings.Cut(u.Username, `\`)
		people = []string{u.Username, login, u.Name}
	}
	hide := newBlot(d, a.Computer, home, a.Dir, people...)
	out := app.SupportBundle{Logs: a.Dir}
	for _, f := range []struct {
		name string
		make func() (string, error)
	}{
		{"about.txt", func() (string, error) { return a.supportAbout(st), nil }},
		{"settings.json", func() (string, error) { return supportJSON(supportSettings(d)) }},
		{"status.json", func() (string, error) { return supportJSON(supportStatus(st)) }},
		{"log.txt", func() (string, error) { return a.supportLog(hide), nil }},
	} {
		text, err := f.make()
		if err != nil {
			return app.SupportBundle{}, fmt.Errorf("make %s: %w", f.name, err)
		}
		out.Files = append(out.Files, app.SupportFile{Name: f.name, Text: hide.clean(text)})
	}
	return out, nil
}

func supportJSON(v any) (string, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return string(b) + "\n", err
}

func (a *Agent) supportAbout(st app.Status) string {
	return fmt.Sprintf("%s %s\n%s, %s/%s\n%s\nsecrets: %s\ntray: %t\nautostart: %t\n",
		app.Name, a.Build, runtime.Version(), runtime.GOOS, runtime.GOARCH, st.Now.Format(time.RFC3339),
		st.Secrets, st.TrayShown, st.Autostart)
}

// supportLog returns the last lines of the log, oldest first, without what is
// the owner's own.
func (a *Agent) supportLog(hide *blot) string {
	if a.Recent == nil {
		return "\n"
	}
	lines := a.Recent()
	hide = hide.also(namesIn(lines)) // of the whole log: what was removed since is named where it was there
	if n := len(lines) - supportLines; n > 0 {
		lines = lines[n:]
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(hide.line(line) + "\n")
	}
	return b.String()
}

// supportSettings are the owner's choices that say nothing of whom and where.
func supportSettings(d Document) any {
	channels := []app.ChannelKind{}
	for _, c := range d.Watch.Channels {
		channels = append(channels, c.Kind)
	}
	return struct {
		Settings   app.Settings      `json:"settings"`
		Channels   []app.ChannelKind `json:"channels"`
		Storefront bool              `json:"storefront"`
		Heartbeat  bool              `json:"heartbeat"`
		Canaries   int               `json:"canaries"`
		Country    string            `json:"country"`
		OwnDays    int               `json:"ownDays"`
		NoPeakPace bool              `json:"noPeakPace"`
		Contacts   int               `json:"contacts"`
	}{
		d.Settings, channels, d.Watch.Storefront != nil, d.Watch.Heartbeat != "", len(d.Watch.Canaries), d.Watch.Country,
		len(d.Watch.OwnDays), d.Watch.NoPeakPace, len(d.Ready.Contacts),
	}
}

// supportSource is a source without its name and place.
type supportSource struct {
	Number    int             `json:"number"`
	Kind      app.Kind        `json:"kind"`
	State     app.SourceState `json:"state"`
	Proof     app.Proof       `json:"proof"`
	Schedule  app.Schedule    `json:"schedule"`
	SafeUntil time.Time       `json:"safeUntil"`
	LastRun   time.Time       `json:"lastRun"`
	Bytes     int64           `json:"bytes"`
	Files     int64           `json:"files"`
	Problems  []app.Code      `json:"problems,omitempty"`
	Error     app.Code        `json:"error,omitempty"`
	Op        string          `json:"op,omitempty"`
}

// supportStatus is how things stand, without names and places.
func supportStatus(st app.Status) any {
	out := struct {
		Verdict    app.Verdict              `json:"verdict"`
		Problems   []app.Code               `json:"problems"`
		Notes      []app.Code               `json:"notes"`
		Storage    app.Kind                 `json:"storage,omitempty"`
		Lock       app.LockSettings         `json:"lock"`
		LockState  app.LockState            `json:"lockState,omitempty"`
		Use        *app.StorageUse          `json:"use,omitempty"`
		Rule       *app.RuleOfCopies        `json:"rule,omitempty"`
		Kit        app.KitState             `json:"kit"`
		Copies     []app.CopyState          `json:"copies"`
		Channels   []app.Code               `json:"channels"` // why each failed last, "" where it did not
		Sources    []supportSource          `json:"sources"`
		LastBackup time.Time                `json:"lastBackup"`
		NextBackup time.Time                `json:"nextBackup"`
		Paused     time.Time                `json:"pausedUntil"`
		Power      app.Power                `json:"power"`
		Job        app.JobKind              `json:"job,omitempty"`
		Step       app.Step                 `json:"step,omitempty"`
		Incident   bool                     `json:"incident"`
		Today      map[app.QuarterState]int `json:"today"`
	}{
		Verdict: st.Verdict, Problems: codesOf(st.Problems), Notes: codesOf(st.Notes), Use: st.Use, Rule: st.Rule, Kit: st.Kit, Copies: []app.CopyState{}, Channels: []app.Code{},
		Sources: []supportSource{}, LastBackup: st.LastBackup, NextBackup: st.NextBackup, Paused: st.PausedUntil, Power: st.Power, Incident: st.Incident != nil,
		Today: map[app.QuarterState]int{},
	}
	if st.Vault != nil {
		out.Storage, out.Lock = st.Vault.Storage, st.Vault.Lock
	}
	if st.LockProof != nil {
		out.LockState = st.LockProof.State
	}
	if st.Job != nil {
		out.Job, out.Step = st.Job.Kind, st.Job.Step
	}
	for _, c := range st.Copies {
		out.Copies = append(out.Copies, c.State)
	}
	for _, c := range st.Watch.Channels {
		code := app.Code("")
		if c.Error != nil {
			code = c.Error.Code
		}
		out.Channels = append(out.Channels, code)
	}
	for i, s := range st.Sources {
		out.Sources = append(out.Sources, supportSourceOf(i, s))
	}
	for _, q := range st.Today {
		out.Today[q.State]++
	}
	return out
}

func supportSourceOf(i int, s app.SourceStatus) supportSource {
	out := supportSource{
		Number: i + 1, Kind: s.Source.Kind, State: s.State, Proof: s.Proof, Schedule: s.Source.Schedule, SafeUntil: s.SafeUntil, LastRun: s.LastRun,
	}
	if s.Point != nil {
		out.Bytes, out.Files = s.Point.Bytes, s.Point.Files
	}
	for _, p := range s.Problems {
		out.Problems = append(out.Problems, p.Code)
	}
	if s.Error != nil {
		out.Error, out.Op = s.Error.Code, s.Error.Op
	}
	return out
}

func codesOf(ps []app.Problemed) []app.Code {
	out := []app.Code{}
	for _, p := range ps {
		out = append(out, p.Error.Code)
	}
	return out
}

// base returns the last part of a path, "" for none.
func base(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}
