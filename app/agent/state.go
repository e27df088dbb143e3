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
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// stateSource is the vault's name for Kvart's own settings, which go in with
// every run so that a new computer needs nothing but the vault.
const stateSource = "kvart"

const stateFile = "state.json"

// vaultState is what the vault holds of Kvart itself. Secrets are not in it:
// whoever opens a vault on a new computer gives those anew.
type vaultState struct {
	Version  int          `json:"version"`
	Sources  []app.Source `json:"sources"`
	Settings app.Settings `json:"settings"`
	// Drills are the last ones, so that a new computer knows how long a
	// restore took.
	Drills map[app.SourceID]app.DrillResult `json:"drills,omitempty"`
}

// stateRequest returns the request that stores the state, and its hash; nil
// when the vault has this very state already.
func (a *Agent) stateRequest(ctx context.Context, now time.Time) (*app.SaveRequest, string, error) {
	d := a.Store.Document()
	st := vaultState{Version: 1, Sources: d.Sources, Settings: d.Settings, Drills: map[app.SourceID]app.DrillResult{}}
	for _, s := range d.Sources {
		drill, err := a.Journal.LastDrill(ctx, s.ID)
		if err != nil {
			return nil, "", err
		}
		if drill != nil {
			st.Drills[s.ID] = *drill
		}
	}
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
	return &app.SaveRequest{
		Source: stateSource, Name: app.Name, Kind: app.PointState, Time: now,
		Items: func(yield func(app.Item, error) bool) { yield(item, nil) },
	}, hash, nil
}

// bringBackState takes sources and settings from the vault that was just
// opened on this computer. A vault without any is a new one.
func (a *Agent) bringBackState(ctx context.Context) error {
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	points, err := v.Points(ctx, app.PointFilter{Source: stateSource, Kinds: []app.PointKind{app.PointState}})
	if err != nil || len(points) == 0 {
		return err
	}
	view, err := v.Open(ctx, points[0].ID)
	if err != nil {
		return err
	}
	b, err := fs.ReadFile(view, stateFile)
	if closeErr := view.Close(); closeErr != nil {
		a.Log.WarnContext(ctx, "Point not closed", "error", closeErr)
	}
	if err != nil {
		return fmt.Errorf("read state from vault: %w", err)
	}
	var st vaultState
	if err := json.Unmarshal(b, &st); err != nil {
		return app.Errorf(app.CodeVaultDamaged, "read state from vault", "%w", err)
	}
	for id, d := range st.Drills {
		// times measured on another computer are a first guess, proof they are not
		d.OK = false
		if err := a.Journal.AddDrill(ctx, id, d); err != nil {
			return err
		}
	}
	return a.Store.Update(func(d *Document) error {
		for _, s := range st.Sources {
			if !slices.ContainsFunc(d.Sources, func(o app.Source) bool { return o.ID == s.ID }) {
				d.Sources = append(d.Sources, s)
			}
		}
		auto := d.Settings.Autostart
		d.Settings = st.Settings
		d.Settings.Autostart = auto // belongs to the computer, not to the shop
		return nil
	})
}
