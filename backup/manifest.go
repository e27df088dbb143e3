package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/manifest"
	"github.com/kopia/kopia/snapshot"

	"kvart/app"
)

// Tags of a point's snapshot manifest. The prefix lets stock Kopia list by
// them.
const (
	tagPoint      = "tag:kvart-point"
	tagSeq        = "tag:kvart-seq"
	tagKind       = "tag:kvart-kind"
	tagSource     = "tag:kvart-source"
	tagName       = "tag:kvart-name"
	tagStats      = "tag:kvart-stats"
	tagIncomplete = "tag:kvart-incomplete"
	tagComputer   = "tag:kvart-computer"
)

// held is a point and the manifest it comes from.
type held struct {
	point app.Point
	man   *snapshot.Manifest
	// ids are of all manifests of the point: two computers that pin it at once
	// leave two.
	ids []manifest.ID
}

// holdings is everything the vault holds.
type holdings struct {
	points  []held               // newest first
	partial []*snapshot.Manifest // checkpoints of uploads that were cut off
	lastSeq uint64
}

// loadHeld loads every manifest of this shop. Unlike [snapshot.LoadSnapshots]
// it does not drop what it can't read: a history must not shrink in silence.
func (v *Vault) loadHeld(ctx context.Context, rep repo.Repository) (holdings, error) {
	entries, err := rep.FindManifests(ctx, map[string]string{"type": snapshot.ManifestType, snapshot.HostnameLabel: v.host})
	if err != nil {
		return holdings{}, fmt.Errorf("find snapshots: %w", err)
	}
	var all holdings
	byID := map[app.PointID]int{}
	for _, e := range entries {
		man, err := snapshot.LoadSnapshot(ctx, rep, e.ID)
		if err != nil {
			return holdings{}, fmt.Errorf("load snapshot %s: %w", e.ID, err)
		}
		if man.IncompleteReason != "" {
			all.partial = append(all.partial, man)
			continue
		}
		if man.Tags[tagPoint] == "" {
			v.log.WarnContext(ctx, "Snapshot of another program left alone", "manifest", e.ID)
			continue
		}
		p, err := pointOf(man)
		if err != nil {
			return holdings{}, fmt.Errorf("read snapshot %s: %w", e.ID, err)
		}
		all.lastSeq = max(all.lastSeq, p.Seq)
		if i, known := byID[p.ID]; known {
			h := &all.points[i]
			h.ids = append(h.ids, e.ID)
			h.point, h.man = p, man // entries come oldest first
			continue
		}
		byID[p.ID] = len(all.points)
		all.points = append(all.points, held{p, man, []manifest.ID{e.ID}})
	}
	slices.SortFunc(all.points, func(a, b held) int { return bySeq(b.point, a.point) })
	return all, nil
}

// lastSeq returns the highest number of any point as of the last refresh.
func (v *Vault) lastSeq(ctx context.Context) (uint64, error) {
	entries, err := v.rep.FindManifests(ctx, map[string]string{"type": snapshot.ManifestType, snapshot.HostnameLabel: v.host})
	if err != nil {
		return 0, fmt.Errorf("find snapshots: %w", err)
	}
	var last uint64
	for _, e := range entries {
		s := e.Labels[tagSeq]
		if s == "" {
			continue // a checkpoint, or another program's
		}
		seq, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read sequence number: %w", err)
		}
		last = max(last, seq)
	}
	return last, nil
}

// previous returns the newest point of the source a request is for, and what
// was left of an upload that was cut off when there is no point yet.
func (h holdings) previous(si snapshot.SourceInfo) []*snapshot.Manifest {
	for _, p := range h.points {
		if p.man.Source == si {
			return []*snapshot.Manifest{p.man}
		}
	}
	return h.leftovers(si)
}

func (h holdings) leftovers(si snapshot.SourceInfo) []*snapshot.Manifest {
	var rest []*snapshot.Manifest
	for _, m := range h.partial {
		if m.Source == si {
			rest = append(rest, m)
		}
	}
	return rest
}

func (h holdings) has(id app.PointID) bool {
	return slices.ContainsFunc(h.points, func(p held) bool { return p.point.ID == id })
}

// stateSource is the one source of states of vaults that only one computer
// stored in.
const stateSource app.SourceID = "kvart"

// sourceInfo names a source and kind the way Kopia does. Which computer stores
// it is no part of that.
func (v *Vault) sourceInfo(id app.SourceID, kind app.PointKind) snapshot.SourceInfo {
	path := "/" + string(id)
	switch kind {
	case app.PointSafety:
		path += "/safety"
	case app.PointState:
		path = "/kvart/state"
		if id != stateSource {
			path += "/" + string(id)
		}
	}
	return snapshot.SourceInfo{Host: v.host, UserName: userName, Path: path}
}

// describe fills in the manifest what makes it a point.
func describe(man *snapshot.Manifest, p app.Point) error {
	man.StartTime = fs.UTCTimestampFromTime(p.Time)
	man.Description = p.Name
	man.Tags = map[string]string{
		tagPoint:  string(p.ID),
		tagSeq:    strconv.FormatUint(p.Seq, 10),
		tagKind:   string(p.Kind),
		tagSource: string(p.Source),
		tagName:   p.Name,
	}
	if p.Computer != "" {
		man.Tags[tagComputer] = string(p.Computer)
	}
	if p.Incomplete > 0 {
		man.Tags[tagIncomplete] = strconv.FormatInt(p.Incomplete, 10)
	}
	if len(p.Stats) > 0 {
		b, err := json.Marshal(p.Stats)
		if err != nil {
			return fmt.Errorf("encode counts: %w", err)
		}
		man.Tags[tagStats] = string(b)
	}
	return nil
}

// pointOf is the reverse of describe.
func pointOf(man *snapshot.Manifest) (app.Point, error) {
	seq, err := strconv.ParseUint(man.Tags[tagSeq], 10, 64)
	if err != nil {
		return app.Point{}, fmt.Errorf("read sequence number: %w", err)
	}
	p := app.Point{
		ID: app.PointID(man.Tags[tagPoint]), Source: app.SourceID(man.Tags[tagSource]), Name: man.Tags[tagName],
		Kind: app.PointKind(man.Tags[tagKind]), Seq: seq, Time: man.StartTime.ToTime().UTC(), Pinned: len(man.Pins) > 0,
		Computer: app.ComputerID(man.Tags[tagComputer]),
	}
	if s := man.Tags[tagIncomplete]; s != "" {
		if p.Incomplete, err = strconv.ParseInt(s, 10, 64); err != nil {
			return app.Point{}, fmt.Errorf("read count of missing files: %w", err)
		}
	}
	if s := man.Tags[tagStats]; s != "" {
		if err := json.Unmarshal([]byte(s), &p.Stats); err != nil {
			return app.Point{}, fmt.Errorf("read counts: %w", err)
		}
	}
	if man.RootEntry != nil && man.RootEntry.DirSummary != nil {
		p.Bytes, p.Files = man.RootEntry.DirSummary.TotalFileSize, man.RootEntry.DirSummary.TotalFileCount
	}
	return p, nil
}

func matches(f app.PointFilter, p app.Point) bool {
	kinds := f.Kinds
	if len(kinds) == 0 {
		kinds = []app.PointKind{app.PointBackup}
	}
	return slices.Contains(kinds, p.Kind) && (f.Source == "" || f.Source == p.Source) && !p.Time.Before(f.Since)
}
