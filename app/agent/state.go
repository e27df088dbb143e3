package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// stateSource begins the vault's name for Kvart's own settings, which go in
// with every run so that a new computer needs nothing but the vault. The rest
// of the name is the computer's ID: each keeps its own.
const stateSource = "kvart"

const stateFile = "state.json"

func stateOf(id app.ComputerID) app.SourceID { return app.SourceID(stateSource + "-" + string(id)) }

// vaultState is what the vault holds of one computer's Kvart. Secrets are not
// in it: whoever opens a vault on a new computer gives those anew.
type vaultState struct {
	Version  int          `json:"version"`
	Sources  []app.Source `json:"sources"`
	Settings app.Settings `json:"settings"`
	// KeepSince is when the owner chose how long backups are kept.
	KeepSince time.Time         `json:"keepSince"`
	Kit       KitRecord         `json:"kit"`
	Copies    []Copy            `json:"copies,omitempty"`
	Ready     Ready             `json:"ready"`
	Watch     app.WatchSettings `json:"watch"`
	// Frozen reports that nothing may expire: the owner has yet to say whether
	// an unusual change was theirs.
	Frozen bool `json:"frozen,omitempty"`
}

// stateRequest returns the request that stores the state, and its hash; nil
// when the vault has this very state already.
func (a *Agent) stateRequest(ctx context.Context, now time.Time) (*app.SaveRequest, string, error) {
	d := a.Store.Document()
	st := vaultState{
		Version: 1, Sources: d.Sources, Settings: d.Settings, KeepSince: d.KeepSince, Kit: d.Kit, Copies: d.Copies, Ready: d.Ready, Watch: d.Watch,
	}
	frozen, err := a.unanswered(ctx)
	if err != nil {
		return nil, "", err
	}
	trouble, err := a.frozen(ctx)
	if err != nil {
		return nil, "", err
	}
	st.Frozen = frozen || trouble
	b, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return nil, "", fmt.Errorf("encode state: %w", err)
	}
	sum := sha256.Sum256(b)
	hash := hex.EncodeToString(sum[:])
	last, err := a.Journal.Meta(ctx, journal.KeyState)
	if err != nil || last == hash {
		return nil, hash, err
	}
	item := app.Item{
		Path: stateFile, Size: int64(len(b)), ModTime: now, Mode: 0o600,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
	}
	items := []app.Item{item}
	if page, err := a.page(ctx); err == nil {
		items = append(items, pageItem(page, now)) // it can be fetched from there with stock Kopia
	} else {
		a.Log.WarnContext(ctx, "Page not stored", "error", err)
	}
	return &app.SaveRequest{Source: stateOf(a.self()), Name: a.Computer, Kind: app.PointState, Time: now, Items: sequence(items)}, hash, nil
}

// states reads the newest state of every computer from the vault.
func (a *Agent) states(ctx context.Context, v app.Vault) (map[app.ComputerID]vaultState, error) {
	points, err := v.Points(ctx, app.PointFilter{Kinds: []app.PointKind{app.PointState}})
	if err != nil {
		return nil, err
	}
	out := map[app.ComputerID]vaultState{}
	for _, p := range points { // newest first
		id, ok := strings.CutPrefix(string(p.Source), stateSource+"-")
		if _, have := out[app.ComputerID(id)]; have || !ok {
			continue
		}
		if out[app.ComputerID(id)], err = a.readState(ctx, v, p.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (a *Agent) readState(ctx context.Context, v app.Vault, id app.PointID) (st vaultState, err error) {
	view, err := v.Open(ctx, id)
	if err != nil {
		return st, err
	}
	b, err := fs.ReadFile(view, stateFile)
	if closeErr := view.Close(); closeErr != nil {
		a.Log.WarnContext(ctx, "Point not closed", "error", closeErr)
	}
	if err != nil {
		return st, fmt.Errorf("read state from vault: %w", err)
	}
	if err := json.Unmarshal(b, &st); err != nil {
		return st, app.Errorf(app.CodeVaultDamaged, "read state from vault", "%w", err)
	}
	return st, nil
}

// takeOver takes another computer's sources, settings and copies as this one's
// own. A computer that never stored any leaves nothing to take.
func (a *Agent) takeOver(ctx context.Context, v app.Vault, from app.ComputerID) error {
	all, err := a.states(ctx, v)
	if err != nil {
		return err
	}
	st, ok := all[from]
	if !ok {
		return nil
	}
	return a.Store.Update(func(d *Document) error {
		for _, s := range st.Sources {
			if !slices.ContainsFunc(d.Sources, func(o app.Source) bool { return o.ID == s.ID }) {
				d.Sources = append(d.Sources, s)
			}
		}
		for _, c := range st.Copies {
			if !slices.ContainsFunc(d.Copies, func(o Copy) bool { return o.Name == c.Name }) {
				d.Copies = append(d.Copies, c)
			}
		}
		d.Kit, d.KeepSince, d.Ready, d.Watch = st.Kit, st.KeepSince, st.Ready, st.Watch
		auto := d.Settings.Autostart
		d.Settings = st.Settings
		d.Settings.Autostart = auto // belongs to the computer, not to the shop
		return nil
	})
}
