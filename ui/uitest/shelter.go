package uitest

import (
	"time"

	"kvart/app"
)

// OffSite returns a vault in the cloud that is locked for 30 days.
func OffSite() *app.VaultInfo {
	return &app.VaultInfo{
		ID: "v1", Shop: "Kafferosteriet", Storage: "s3", Where: "kafferosteriet-kvart", OffSite: true, Bytes: 8_400_000_000, Free: -1,
		Lock: app.LockSettings{Mode: app.LockGovernance, Days: 30},
	}
}

// Sheltered returns a shop that keeps to 3-2-1-1-0 in all five.
func Sheltered() app.Status {
	s := Safe()
	s.Vault = OffSite()
	s.LockProof = &app.LockProof{At: Now().AddDate(0, 0, -2), State: app.LockHeld, Refusal: "AccessDenied"}
	s.Copies = []app.CopyStatus{{
		Name: "USB-disken", Kind: "folder", Settings: map[string]string{"path": "/media/usb/kvart"}, Where: "/media/usb/kvart",
		State: app.CopyInStep, InStep: Now().Add(-5 * time.Hour),
	}}
	s.Check = &app.CheckReport{Packs: 41, Bytes: 900_000_000, PacksTotal: 402, BytesTotal: 8_400_000_000, Oldest: Now().AddDate(0, 0, -12)}
	s.Use = &app.StorageUse{Bytes: 8_400_000_000, Free: 12_000_000_000, PerDay: 80_000_000, FullAt: Now().AddDate(0, 5, 0)}
	s.Rule = &app.RuleOfCopies{Copies: 3, Media: 2, OffSite: true, Immutable: true, Proved: true}
	return s
}

// Bare returns a shop on one disk, with nothing beside it.
func Bare() app.Status {
	s := Kitless()
	s.Rule = &app.RuleOfCopies{Copies: 2, Media: 1}
	return s
}

// Kitless returns a safe shop whose recovery kit was never made.
func Kitless() app.Status {
	s := Safe()
	s.Kit = app.KitState{}
	s.Notes = []app.Problemed{{Error: &app.Error{Code: app.CodeKitMissing}}}
	return s
}

// Damaged returns a shop whose vault has damage that is known.
func Damaged() app.Status {
	s := Sheltered()
	s.Verdict = app.VerdictFailed
	s.Check.Damaged = []string{"p1234", "p5678"}
	s.Rule.Errors, s.Rule.Proved = 2, false
	s.Problems = []app.Problemed{{Error: &app.Error{Code: app.CodeVaultDamaged}}}
	s.Copies[0].State, s.Copies[0].InStep = app.CopyBehind, Now().AddDate(0, 0, -9)
	s.LockProof = &app.LockProof{At: Now().Add(-time.Hour), State: app.LockOpen}
	return s
}

// Past returns a vault that was opened as it was.
func Past() app.Status {
	s := Safe()
	s.Vault.AsOf = Now().Add(-26 * time.Hour)
	s.Problems = []app.Problemed{{Error: &app.Error{Code: app.CodeVaultPast}}}
	s.NextBackup = time.Time{}
	return s
}

// Replaced returns a computer whose place another one took.
func Replaced() app.Status {
	s := Late()
	s.Problems = []app.Problemed{{Error: (&app.Error{Code: app.CodeReplaced}).With("computer", "Kontoret")}}
	return s
}

// Computers returns two computers that share the vault and one that was
// replaced.
func Computers() []app.Computer {
	return []app.Computer{
		{ID: "c0", Name: "Gamla kassan", Joined: Now().AddDate(-1, 0, 0), Seen: Now().AddDate(0, -2, 0), ReplacedBy: "c1"},
		{ID: "c1", Name: "Kassan", Joined: Now().AddDate(0, -2, 0), Seen: Now().Add(-4 * time.Minute), Maintains: true},
		{ID: "c2", Name: "Kontoret", Joined: Now().AddDate(0, -1, 0), Seen: Now().AddDate(0, 0, -3)},
	}
}

// MissingSecret returns a shop one of whose sources needs its password again.
func MissingSecret() app.Status {
	s := Late()
	e := (&app.Error{Code: app.CodeSecretMissing}).With("source", "Lager")
	s.Sources[1].State, s.Sources[1].Error = app.SourceFailed, e
	s.Problems = []app.Problemed{{Source: "Lager", Error: e}}
	return s
}

// Mending returns a shop whose storage makes a repair wait.
func Mending() app.Status {
	s := Damaged()
	s.Job = &app.Job{
		ID: "repair-1", Kind: app.JobRepair, State: app.JobRunning, Started: Now().Add(-time.Minute), Step: app.StepRepair,
		Items: 402, ItemsDone: 120, Trying: &app.Error{Code: app.CodeStorageOffline},
	}
	return s
}
