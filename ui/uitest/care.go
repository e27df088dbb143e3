package uitest

import (
	"context"
	"strings"
	"time"

	"kvart/app"
)

// Care is the part of [Service] that looks after vault, kit and copies. It
// keeps the rules the guard keeps, so that a window that breaks them fails.
type Care struct {
	// KitCode is the check code of the newest kit.
	KitCode string

	CreateFunc     func(app.VaultRequest) error
	OpenFunc       func(app.VaultRequest) error
	KitFunc        func(app.KitRequest) error
	InviteFunc     func(path string) error
	LockFunc       func() (app.LockProof, error)
	CopyFunc       func(app.CopyRequest) error
	PassphraseFunc func(app.Secret) error
	ComputersFunc  func() ([]app.Computer, error)
	StepInFunc     func() error
	RewindFunc     func() error
}

// CreateVault implements [app.VaultService].
func (s *Service) CreateVault(_ context.Context, r app.VaultRequest) (app.VaultInfo, error) {
	s.call("CreateVault")
	if r.Storage.Settings["lock_mode"] == string(app.LockCompliance) && !r.AcceptCompliance {
		return app.VaultInfo{}, app.Errorf(app.CodeLockForEver, "create vault", "not accepted")
	}
	if s.CreateFunc != nil {
		if err := s.CreateFunc(r); err != nil {
			return app.VaultInfo{}, err
		}
	}
	return s.use(r.Storage.AsOf), nil
}

// OpenVault implements [app.VaultService].
func (s *Service) OpenVault(_ context.Context, r app.VaultRequest) (app.VaultInfo, error) {
	s.call("OpenVault")
	kit, hasKit := r.Secrets[app.KitKey]
	switch {
	case hasKit && !strings.Contains(kit.Reveal(), "KVART"):
		return app.VaultInfo{}, app.Errorf(app.CodeKitUnreadable, "open vault", "no kit")
	case len(r.Invitation) > 0 && r.Secrets[app.InvitationKey].IsZero():
		return app.VaultInfo{}, app.Errorf(app.CodeInvitationWrong, "open vault", "no code")
	}
	if s.OpenFunc != nil {
		if err := s.OpenFunc(r); err != nil {
			return app.VaultInfo{}, err
		}
	}
	return s.use(r.Storage.AsOf), nil
}

// use begins to use a vault, as it was at a moment.
func (s *Service) use(asOf time.Time) app.VaultInfo {
	var v app.VaultInfo
	s.change(func(st *app.Status) {
		if st.Vault == nil {
			st.Vault, st.Problems = Vault(), nil
		}
		v = *st.Vault
		v.AsOf = asOf
		st.Vault = &v
	})
	return v
}

// MakeKit implements [app.KitService].
func (s *Service) MakeKit(_ context.Context, r app.KitRequest) (app.KitState, error) {
	s.call("MakeKit")
	if len(r.Files) == 0 {
		return app.KitState{}, app.Errorf(app.CodeUsage, "make kit", "no file")
	}
	if s.KitFunc != nil {
		if err := s.KitFunc(r); err != nil {
			return app.KitState{}, err
		}
	}
	s.change(func(st *app.Status) { st.Kit = app.KitState{Number: st.Kit.Number + 1, Made: Now()} })
	return s.Current().Kit, nil
}

// ConfirmKit implements [app.KitService].
func (s *Service) ConfirmKit(_ context.Context, code string) (app.KitState, error) {
	s.call("ConfirmKit")
	if k := s.Current().Kit; k.Number == 0 || code != s.KitCode {
		return k, app.Errorf(app.CodeKitCode, "confirm kit", "not the code")
	}
	s.change(func(st *app.Status) { st.Kit.Confirmed = Now() })
	return s.Current().Kit, nil
}

// Invite implements [app.KitService].
func (s *Service) Invite(_ context.Context, path string) (app.Invitation, error) {
	s.call("Invite")
	if s.InviteFunc != nil {
		if err := s.InviteFunc(path); err != nil {
			return app.Invitation{}, err
		}
	}
	return app.Invitation{Path: path, Expires: Now().Add(24 * time.Hour), Code: "mild-kopp-4217"}, nil
}

// StartCheck implements [app.CareService].
func (s *Service) StartCheck(context.Context) (app.JobID, error) {
	s.call("StartCheck")
	return "check-1", nil
}

// StartRepair implements [app.CareService].
func (s *Service) StartRepair(context.Context) (app.JobID, error) {
	s.call("StartRepair")
	return "repair-1", nil
}

// ProveLock implements [app.CareService].
func (s *Service) ProveLock(context.Context) (app.LockProof, error) {
	s.call("ProveLock")
	if v := s.Current().Vault; v == nil || v.Lock.Mode == app.LockNone {
		return app.LockProof{}, app.Errorf(app.CodeLockNone, "prove lock", "nothing is locked")
	}
	proof := app.LockProof{At: Now(), State: app.LockHeld, Refusal: "AccessDenied"}
	if s.LockFunc != nil {
		var err error
		if proof, err = s.LockFunc(); err != nil {
			return proof, err
		}
	}
	s.change(func(st *app.Status) { st.LockProof = &proof })
	return proof, nil
}

// AddCopy implements [app.CareService].
func (s *Service) AddCopy(_ context.Context, r app.CopyRequest) (app.CopyStatus, error) {
	s.call("AddCopy")
	for _, c := range s.Current().Copies {
		if c.Name == r.Name {
			return c, app.Errorf(app.CodeCopyExists, "add copy", "%s exists", r.Name)
		}
	}
	if s.CopyFunc != nil {
		if err := s.CopyFunc(r); err != nil {
			return app.CopyStatus{}, err
		}
	}
	c := app.CopyStatus{Name: r.Name, Kind: r.Storage.Kind, Settings: r.Storage.Settings, Where: r.Storage.Settings["path"], State: app.CopyNew}
	s.change(func(st *app.Status) { st.Copies = append(append([]app.CopyStatus{}, st.Copies...), c) })
	return c, nil
}

// RemoveCopy implements [app.CareService].
func (s *Service) RemoveCopy(_ context.Context, name string) error {
	s.call("RemoveCopy")
	var left []app.CopyStatus
	for _, c := range s.Current().Copies {
		if c.Name != name {
			left = append(left, c)
		}
	}
	if len(left) == len(s.Current().Copies) {
		return app.Errorf(app.CodeCopyUnknown, "remove copy", "no %s", name)
	}
	s.change(func(st *app.Status) { st.Copies = left })
	return nil
}

// StartCopy implements [app.CareService].
func (s *Service) StartCopy(_ context.Context, names []string) (app.JobID, error) {
	s.call("StartCopy")
	return app.JobID("copy-" + strings.Join(names, "+")), nil
}

// ChangePassphrase implements [app.CareService].
func (s *Service) ChangePassphrase(_ context.Context, r app.PassphraseRequest) error {
	s.call("ChangePassphrase")
	p := r.Secrets[app.PassphraseKey]
	if len(p.Reveal()) < 12 {
		return app.Errorf(app.CodeWeakPassphrase, "change passphrase", "too short")
	}
	if s.PassphraseFunc != nil {
		if err := s.PassphraseFunc(p); err != nil {
			return err
		}
	}
	s.change(func(st *app.Status) { st.Kit.Void = true })
	return nil
}

// Computers implements [app.CareService].
func (s *Service) Computers(context.Context) ([]app.Computer, error) {
	s.call("Computers")
	if s.ComputersFunc != nil {
		return s.ComputersFunc()
	}
	return Computers(), nil
}

// StepIn implements [app.CareService].
func (s *Service) StepIn(context.Context) error {
	s.call("StepIn")
	if s.StepInFunc != nil {
		return s.StepInFunc()
	}
	return nil
}

// Rewind implements [app.CareService]: only what is shown as it was can be
// made so again.
func (s *Service) Rewind(context.Context) error {
	s.call("Rewind")
	v := s.Current().Vault
	if v == nil || v.AsOf.IsZero() {
		return app.Errorf(app.CodeUsage, "rewind", "the vault is not shown as it was")
	}
	if s.RewindFunc != nil {
		if err := s.RewindFunc(); err != nil {
			return err
		}
	}
	s.change(func(st *app.Status) {
		now := *st.Vault
		now.AsOf = time.Time{}
		st.Vault, st.Problems = &now, nil
	})
	return nil
}
