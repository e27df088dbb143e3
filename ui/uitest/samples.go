package uitest

import (
	"fmt"
	"time"

	"kvart/app"
)

// Now is the moment of all samples: a Thursday afternoon.
func Now() time.Time { return time.Date(2026, 11, 19, 14, 34, 0, 0, time.Local) }

// Vault returns a vault on a disk.
func Vault() *app.VaultInfo {
	return &app.VaultInfo{ID: "v1", Shop: "Kafferosteriet", Storage: "folder", Where: "/media/backup/kvart", Bytes: 8_400_000_000}
}

// Forms returns two kinds of source and three of storage.
func Forms() app.Forms {
	return app.Forms{
		Sources: []app.KindSpec{
			{Kind: "sqlite", Fields: []app.Field{{Key: "path", Type: app.FieldFile, Required: true}}},
			{Kind: "folder", Fields: []app.Field{{Key: "path", Type: app.FieldFolder, Required: true}, {Key: "exclude", Type: app.FieldLines}}},
		},
		Storages: []app.KindSpec{
			s3Kind(),
			{Kind: "sftp", OffSite: true, Fields: []app.Field{
				{Key: "host", Type: app.FieldText, Required: true},
				{Key: "user", Type: app.FieldText, Required: true},
				{Key: "password", Type: app.FieldSecret},
				{Key: "path", Type: app.FieldText, Required: true},
				{Key: "port", Type: app.FieldNumber, Default: "22", Advanced: true},
				{Key: "private_key", Type: app.FieldSecret, Multiline: true, Advanced: true},
				{Key: "host_key", Type: app.FieldText, Advanced: true},
			}},
			{Kind: "folder", Fields: []app.Field{{Key: "path", Type: app.FieldFolder, Required: true}}},
		},
	}
}

// s3Kind has presets, a lock, a choice and settings few need.
func s3Kind() app.KindSpec {
	return app.KindSpec{
		Kind: "s3", OffSite: true, CanLock: true, Fields: []app.Field{
			{Key: "preset", Type: app.FieldChoice, Choices: []string{"b2", "wasabi", "r2", "minio", "other"}},
			{Key: "endpoint", Type: app.FieldText},
			{Key: "account", Type: app.FieldText, Advanced: true},
			{Key: "bucket", Type: app.FieldText, Required: true},
			{Key: "region", Type: app.FieldText},
			{Key: "prefix", Type: app.FieldText, Advanced: true},
			{Key: "access_key", Type: app.FieldText, Required: true},
			{Key: "secret_key", Type: app.FieldSecret, Required: true},
			{Key: "lock_mode", Type: app.FieldChoice, Default: "none", Choices: []string{"none", "governance", "compliance"}},
			{Key: "lock_days", Type: app.FieldNumber, Default: "30"},
			{Key: "insecure", Type: app.FieldSwitch, Default: "false", Advanced: true},
		},
		Presets: []app.Preset{
			{Key: "b2", Settings: map[string]string{"endpoint": "s3.{region}.backblazeb2.com"}, Regions: []string{"eu-central-003", "us-west-004"}, CanLock: true},
			{Key: "wasabi", Settings: map[string]string{"endpoint": "s3.{region}.wasabisys.com"}, Regions: []string{"eu-central-2", "eu-west-1"}, CanLock: true},
			{Key: "r2", Settings: map[string]string{"endpoint": "{account}.r2.cloudflarestorage.com", "region": "auto"}},
			{Key: "minio", Settings: map[string]string{"region": "us-east-1"}, CanLock: true},
			{Key: "other", Settings: map[string]string{"region": "us-east-1"}, CanLock: true},
		},
	}
}

// Found returns what is found on a till computer.
func Found() []app.Found {
	return []app.Found{
		{Kind: "sqlite", Name: "kassa.db", Settings: map[string]string{"path": "/home/asa/Kassa/kassa.db"}, Bytes: 412_000_000, Changed: Now().Add(-3 * time.Minute), Likely: true},
		{Kind: "sqlite", Name: "lager.db", Settings: map[string]string{"path": "/home/asa/Lager/lager.db"}, Bytes: 31_000_000, Changed: Now().Add(-2 * time.Hour), Likely: true},
		{Kind: "folder", Name: "Bilder", Settings: map[string]string{"path": "/home/asa/Bilder"}, Bytes: 3_100_000_000, Changed: Now().Add(-50 * time.Hour)},
	}
}

// Quarters returns a day up to now, with one late quarter and one that failed.
func Quarters(day time.Time) []app.Quarter {
	day = day.Local()
	start := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.Local)
	var out []app.Quarter
	for t := start; t.Before(start.AddDate(0, 0, 1)); t = t.Add(app.QuarterLength) {
		q := app.Quarter{Start: t, State: app.QuarterDone}
		switch i := len(out); {
		case t.After(Now()):
			q.State = app.QuarterDue
		case i < 4:
			q.State = app.QuarterNone
		case i < 28:
			q.State = app.QuarterIdle
		case i == 33:
			q.State = app.QuarterLate
		case i == 40:
			q.State, q.Code = app.QuarterFailed, app.CodeStorageGone
		case i == 46 || i == 47:
			q.State = app.QuarterPaused
		}
		out = append(out, q)
	}
	return out
}

func source(name string, kind app.Kind, path string, bytes, files int64) app.SourceStatus {
	at := Now().Add(-4 * time.Minute)
	return app.SourceStatus{
		Source: app.Source{ID: app.SourceID(name), Name: name, Kind: kind, Settings: map[string]string{"path": path}, AddedAt: Now().AddDate(0, -1, 0)},
		State:  app.SourceSafe, SafeUntil: at, LastRun: at, Uploaded: 212_000, RestoreSeconds: 9, Proof: app.ProofProven,
		Point: &app.Point{ID: app.PointID(name + "-9"), Source: app.SourceID(name), Name: name, Kind: app.PointBackup, Seq: 9, Time: at, Bytes: bytes, Files: files, Verified: true},
	}
}

// Safe returns a shop where all is well.
func Safe() app.Status {
	return app.Status{
		Seq: 1, Now: Now(), Build: "test", Verdict: app.VerdictSafe, Vault: Vault(), Secrets: "keychain", Autostart: true, TrayShown: true,
		Sources: []app.SourceStatus{
			source("Kassan", "sqlite", "/home/asa/Kassa/kassa.db", 412_000_000, 1),
			source("Lager", "sqlite", "/home/asa/Lager/lager.db", 31_000_000, 1),
			source("Bilder", "folder", "/home/asa/Bilder", 3_100_000_000, 1204),
		},
		Kit:        app.KitState{Number: 2, Made: Now().AddDate(0, 0, -16), Confirmed: Now().AddDate(0, 0, -16)},
		LastBackup: Now().Add(-4 * time.Minute), NextBackup: Now().Add(11 * time.Minute), Pace: app.QuarterLength, Today: Quarters(Now()),
		LastDrill: &app.DrillResult{Source: "Kassan", At: Now().Add(-34 * time.Hour), OK: true, Seconds: 27, Checks: []app.Check{{Code: "integrity", OK: true}}},
	}
}

// Empty returns a Kvart that was just installed.
func Empty() app.Status {
	return app.Status{
		Seq: 1, Now: Now(), Build: "test", Verdict: app.VerdictUnknown, Secrets: "keychain",
		Problems: []app.Problemed{{Error: &app.Error{Code: app.CodeVaultNone}}},
	}
}

// NoSources returns a vault with nothing to put into it.
func NoSources() app.Status {
	s := Empty()
	s.Vault, s.Problems = Vault(), nil
	return s
}

// FirstDay returns a shop whose first backup is not done.
func FirstDay() app.Status {
	s := Safe()
	s.Verdict, s.LastBackup, s.LastDrill = app.VerdictUnknown, time.Time{}, nil
	for i := range s.Today {
		if s.Today[i].State != app.QuarterDue {
			s.Today[i].State = app.QuarterNone
		}
	}
	for i := range s.Sources {
		src := &s.Sources[i]
		src.State, src.Point, src.SafeUntil, src.LastRun, src.Uploaded, src.RestoreSeconds = app.SourceWaiting, nil, time.Time{}, time.Time{}, 0, 0
		src.Proof = app.ProofNone
	}
	return s
}

// Late returns a shop whose backups are late, since one database is locked.
func Late() app.Status {
	s := Safe()
	s.Verdict, s.LastBackup = app.VerdictLate, Now().Add(-49*time.Minute)
	e := (&app.Error{Code: app.CodeSourceLocked}).With("source", "Lager")
	s.Sources[1].State, s.Sources[1].SafeUntil, s.Sources[1].Error = app.SourceLate, s.LastBackup, e
	s.Problems = []app.Problemed{{Source: "Lager", Error: e}}
	return s
}

// Failed returns a shop whose storage is gone.
func Failed() app.Status {
	s := Late()
	s.Verdict = app.VerdictFailed
	e := (&app.Error{Code: app.CodeStorageGone}).With("path", "/media/backup/kvart")
	s.Problems = []app.Problemed{{Error: e}}
	for i := range s.Sources {
		s.Sources[i].State, s.Sources[i].Error = app.SourceFailed, e
	}
	s.LastDrill.OK = false
	return s
}

// Unproven returns a shop whose newest points were not read back.
func Unproven() app.Status {
	s := Safe()
	s.Verdict, s.LastDrill = app.VerdictUnproven, nil
	for i := range s.Sources {
		s.Sources[i].State, s.Sources[i].RestoreSeconds, s.Sources[i].Proof = app.SourceUnproven, 0, app.ProofNone
	}
	return s
}

// Paused returns a shop whose backups are paused for an hour.
func Paused() app.Status {
	s := Safe()
	s.PausedUntil = Now().Add(time.Hour)
	return s
}

// BackingUp returns a shop in the middle of a backup.
func BackingUp() app.Status {
	s := Safe()
	s.Job = &app.Job{
		ID: "backup-1", Kind: app.JobBackup, State: app.JobRunning, Started: Now().Add(-20 * time.Second),
		Step: app.StepCapture, Source: "Bilder", Items: 1204, ItemsDone: 281, Bytes: 3_100_000_000, BytesDone: 700_000_000,
	}
	return s
}

// Restoring returns a shop in the middle of a restore.
func Restoring() app.Status {
	s := Safe()
	s.Job = &app.Job{
		ID: "restore-1", Kind: app.JobRestore, State: app.JobRunning, Started: Now().Add(-252 * time.Second),
		Step: app.StepRestore, Source: "Bilder", Items: 1204, ItemsDone: 812, Bytes: 3_500_000_000, BytesDone: 2_400_000_000,
		Restore: &app.RestoreRecord{ID: "r1", State: app.RestoreApplying},
	}
	return s
}

// Restored returns the record of a restore that went well.
func Restored() *app.RestoreRecord {
	return &app.RestoreRecord{
		ID: "r1", State: app.RestoreDone, Started: Now().Add(-5 * time.Minute), Ended: Now().Add(-2 * time.Minute),
		Sources: []app.RestoredPart{{ID: "kassan", Source: "Kassan", Point: "Kassan-9", Time: Now().Add(-9 * time.Minute), Where: "/home/asa/Kassa/kassa.db", Safety: "s1", Done: true}},
		Checks:  []app.Check{{Source: "Kassan", Code: "integrity", OK: true}, {Source: "Kassan", Code: "rows", OK: true, Detail: "38 tables, 41 200 rows", Counted: app.Counted{Tables: 38, Rows: 41200}}},
	}
}

// Statuses returns every sample by name.
func Statuses() map[string]app.Status {
	return map[string]app.Status{
		"safe": Safe(), "empty": Empty(), "nosources": NoSources(), "first": FirstDay(), "late": Late(),
		"failed": Failed(), "unproven": Unproven(), "paused": Paused(), "backup": BackingUp(), "restoring": Restoring(),
		"sheltered": Sheltered(), "bare": Bare(), "kitless": Kitless(), "damaged": Damaged(), "past": Past(),
		"replaced": Replaced(), "secret": MissingSecret(), "mending": Mending(),
	}
}

// Points returns a source's points, newest first.
func Points(name string) []app.Point {
	var out []app.Point
	for i := range 12 {
		out = append(out, app.Point{
			ID: app.PointID(fmt.Sprintf("%s-%d", name, 12-i)), Source: app.SourceID(name), Name: name, Kind: app.PointBackup,
			Seq: uint64(12 - i), Time: Now().Add(time.Duration(-4-15*i) * time.Minute), Bytes: 412_000_000, Files: 1204, Verified: i != 3,
		})
	}
	return out
}

// Entries returns what a point holds below a path.
func Entries(dir string) []app.Entry {
	if dir != "" {
		return []app.Entry{{Path: dir + "/kopp.jpg", Size: 81_000, ModTime: Now()}, {Path: dir + "/kanna.jpg", Size: 95_000, ModTime: Now()}}
	}
	return []app.Entry{
		{Path: "Produkter", Dir: true, ModTime: Now()},
		{Path: "Kvitton", Dir: true, ModTime: Now()},
		{Path: "Priser 2026.csv", Size: 4200, ModTime: Now()},
		{Path: "sale", Rows: 12_940, ModTime: Now()},
	}
}

// Plan returns what a restore of the request would do.
func Plan(s app.Status, r app.RestoreRequest) app.RestorePlan {
	p := app.RestorePlan{Seconds: 192, Undoable: r.Target.Original()}
	for _, src := range s.Sources {
		if src.Point == nil || len(r.Sources) > 0 && r.Sources[0] != src.Source.Name {
			continue
		}
		where := src.Source.Settings["path"]
		if db := src.Source.Settings["database"]; db != "" {
			where = db + " (127.0.0.1:3306)"
		}
		switch {
		case r.Target.Database != "":
			where = r.Target.Database + " (127.0.0.1:3306)"
		case r.Target.Dir != "":
			where = r.Target.Dir
		}
		p.Sources = append(p.Sources, app.SourcePlan{
			Source: src.Source.Name, Point: *src.Point,
			Plan: app.TargetPlan{Where: where, Bytes: src.Point.Bytes, Files: src.Point.Files, Exists: true, Overwrite: 1, Create: 2},
		})
		p.Bytes += src.Point.Bytes
		p.Files += src.Point.Files
	}
	return p
}
