package agent

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

const (
	// copyShare of a copy's old objects is read back once a day.
	copyShare = 0.05
	// copyLate is when a copy that could not be brought in step is told of.
	copyLate = 8 * 24 * time.Hour
)

// copyRecord is what is remembered of a copy's last round.
type copyRecord struct {
	Tried  time.Time       `json:"tried"`
	InStep time.Time       `json:"inStep"`
	Read   time.Time       `json:"read"` // when old objects were last read back too
	Report *app.CopyReport `json:"report,omitempty"`
	Error  *app.Error      `json:"error,omitempty"`
	// OwnDisk reports that it lies on the disk the guard's data lies on.
	OwnDisk bool `json:"ownDisk,omitempty"`
}

func copyKey(name string) string { return "copy." + name }

// copySecretKey names a copy's secret among the secrets.
func copySecretKey(name string) func(string) string {
	return func(field string) string { return "copy." + name + "." + field }
}

func (d Document) copy(name string) (Copy, error) {
	var names []string
	for _, c := range d.Copies {
		if strings.EqualFold(c.Name, name) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Copy{}, app.Errorf(app.CodeCopyUnknown, "find copy", "no copy %q", name).With("copy", name).With("choices", strings.Join(names, ", "))
}

// AddCopy implements [app.CareService].
func (a *Agent) AddCopy(ctx context.Context, r app.CopyRequest) (app.CopyStatus, error) {
	d := a.Store.Document()
	if d.Vault == nil {
		return app.CopyStatus{}, app.Errorf(app.CodeVaultNone, "add copy", "no vault is set up")
	}
	r.Name = strings.TrimSpace(r.Name)
	if r.Name == "" {
		return app.CopyStatus{}, app.Errorf(app.CodeUsage, "add copy", "a copy needs a name").With("field", "name")
	}
	same := func(k app.Kind, s map[string]string) bool {
		return k == r.Storage.Kind && maps.Equal(s, r.Storage.Settings)
	}
	if slices.ContainsFunc(d.Copies, func(c Copy) bool { return strings.EqualFold(c.Name, r.Name) || same(c.Kind, c.Settings) }) || same(d.Vault.Kind, d.Vault.Settings) {
		return app.CopyStatus{}, app.Errorf(app.CodeCopyExists, "add copy", "there is a copy %q, or one in that place", r.Name).With("copy", r.Name)
	}
	if err := lockAccepted(r.Storage, r.AcceptCompliance); err != nil {
		return app.CopyStatus{}, err
	}
	if err := a.checkPlain(r.Storage); err != nil {
		return app.CopyStatus{}, err
	}
	spec := r.Storage
	spec.Secrets = r.Secrets
	rep, err := a.ProbeStorage(ctx, spec)
	if err != nil {
		return app.CopyStatus{}, err
	}
	for k, s := range r.Secrets {
		if err := a.Secrets.SetSecret(ctx, copySecretKey(r.Name)(k), s); err != nil {
			return app.CopyStatus{}, err
		}
	}
	c := Copy{Name: r.Name, Kind: r.Storage.Kind, Settings: r.Storage.Settings, Where: placeName(r.Storage.Settings), OffSite: rep.OffSite}
	if err := a.Store.Update(func(d *Document) error { d.Copies = append(d.Copies, c); return nil }); err != nil {
		return app.CopyStatus{}, err
	}
	a.bus.poke()
	return a.copyStatus(ctx, c, a.Now())
}

// placeName says where a storage is, of its settings.
func placeName(settings map[string]string) string {
	var parts []string
	for _, k := range []string{"path", "url", "host", "endpoint", "account", "remote", "bucket", "container"} {
		if v := settings[k]; v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, "/")
}

// RemoveCopy implements [app.CareService].
func (a *Agent) RemoveCopy(ctx context.Context, name string) error {
	c, err := a.Store.Document().copy(name)
	if err != nil {
		return err
	}
	err = a.Store.Update(func(d *Document) error {
		d.Copies = slices.DeleteFunc(d.Copies, func(o Copy) bool { return o.Name == c.Name })
		return nil
	})
	if err != nil {
		return err
	}
	if spec, err := storageSpec(a.Vaults.Storages(), c.Kind); err == nil {
		for _, f := range spec.Fields {
			if f.Type != app.FieldSecret {
				continue
			}
			if err := a.Secrets.DeleteSecret(ctx, copySecretKey(c.Name)(f.Key)); err != nil {
				a.Log.WarnContext(ctx, "Secret not deleted", "copy", c.Name, "error", err)
			}
		}
	}
	a.bus.poke()
	return a.Journal.SetMeta(ctx, copyKey(c.Name), "")
}

// StartCopy implements [app.CareService].
func (a *Agent) StartCopy(_ context.Context, names []string) (app.JobID, error) {
	d := a.Store.Document()
	copies := d.Copies
	if len(names) > 0 {
		copies = nil
		for _, n := range names {
			c, err := d.copy(n)
			if err != nil {
				return "", err
			}
			copies = append(copies, c)
		}
	}
	if len(copies) == 0 {
		return "", app.Errorf(app.CodeCopyUnknown, "copy vault", "there is no second place")
	}
	return a.startWork(app.JobCopy, nil, func(ctx context.Context, j *job) error {
		v, err := a.openVault(ctx)
		if err != nil {
			return err
		}
		var failed error
		for _, c := range copies {
			j.at(app.StepCopy, c.Name)
			if err := a.bringInStep(ctx, v, c, j); err != nil {
				failed = errors.Join(failed, err)
			}
			st, err := a.copyStatus(ctx, c, a.Now())
			if err != nil {
				return err
			}
			j.update(func(s *app.Job) { s.Copies = append(s.Copies, st) })
		}
		return failed
	})
}

// bringInStep copies what one copy lacks, and remembers how that went.
func (a *Agent) bringInStep(ctx context.Context, v app.Vault, c Copy, p app.Progress) error {
	rec, err := recall[copyRecord](ctx, a.Journal, copyKey(c.Name))
	if err != nil {
		return err
	}
	if rec == nil {
		rec = &copyRecord{}
	}
	copier, ok := v.(app.Copier)
	if !ok {
		return app.Errorf(app.CodeInternal, "copy vault", "%T can't be copied", v)
	}
	spec, err := a.copySpec(ctx, c)
	if err != nil {
		return err
	}
	began := a.Now()
	share := 0.0
	if began.Sub(rec.Read).Abs() >= 24*time.Hour {
		share = copyShare
	}
	rep, err := copier.Copy(ctx, spec, share, p)
	if app.CodeOf(err) == app.CodeCanceled {
		return err // what was copied counts at the next round
	}
	rec.Tried = began
	if now := app.AsError(err); !notReached(now) || rec.Error == nil || notReached(rec.Error) {
		rec.Error = now // what was wrong with a copy is not right for being out of reach
	}
	if err == nil {
		rec.InStep, rec.Report, rec.OwnDisk = began, &rep, c.Kind == "folder" && sameDisk(a.Dir, c.Settings["path"])
		if share > 0 {
			rec.Read = began
		}
	}
	return errors.Join(err, keep(context.WithoutCancel(ctx), a.Journal, copyKey(c.Name), rec))
}

func (a *Agent) copySpec(ctx context.Context, c Copy) (app.StorageSpec, error) {
	secrets, err := a.storageSecrets(ctx, c.Kind, copySecretKey(c.Name))
	return app.StorageSpec{Kind: c.Kind, Settings: c.Settings, Secrets: secrets}, err
}

// copySpecs returns where the copies lie that were ever in step. One whose
// keys are missing can't help.
func (a *Agent) copySpecs(ctx context.Context) ([]app.StorageSpec, error) {
	var out []app.StorageSpec
	for _, c := range a.Store.Document().Copies {
		rec, err := recall[copyRecord](ctx, a.Journal, copyKey(c.Name))
		if err != nil {
			return nil, err
		}
		if rec == nil || rec.InStep.IsZero() {
			continue
		}
		spec, err := a.copySpec(ctx, c)
		if err != nil {
			a.Log.WarnContext(ctx, "Copy can't be used", "copy", c.Name, "error", err)
			continue
		}
		out = append(out, spec)
	}
	return out, nil
}

// copyStatus tells how one copy stands.
func (a *Agent) copyStatus(ctx context.Context, c Copy, now time.Time) (app.CopyStatus, error) {
	st := app.CopyStatus{Name: c.Name, Kind: c.Kind, Settings: c.Settings, Where: c.Where, OffSite: c.OffSite, State: app.CopyNew}
	rec, err := recall[copyRecord](ctx, a.Journal, copyKey(c.Name))
	if err != nil || rec == nil {
		return st, err
	}
	st.InStep, st.Last, st.Error = rec.InStep, rec.Report, rec.Error
	st.State = copyState(*rec, now)
	return st, nil
}

func copyState(r copyRecord, now time.Time) app.CopyState {
	switch {
	case notReached(r.Error):
		return app.CopyAway
	case r.Error != nil:
		return app.CopyFailed
	case r.InStep.IsZero():
		return app.CopyNew
	case now.Sub(r.InStep).Abs() > 24*time.Hour:
		return app.CopyBehind
	}
	return app.CopyInStep
}

// notReached reports whether a copy could only not be reached.
func notReached(e *app.Error) bool {
	switch codeOf(e) {
	case app.CodeStorageGone, app.CodeStorageOffline, app.CodeStorageBusy, app.CodePortal:
		return true
	}
	return false
}

// copyDue starts the copies whose turn it is: every hour, as long as the vault
// can be used.
func (a *Agent) copyDue(ctx context.Context, d Document) (started bool, err error) {
	var names []string
	for _, c := range d.Copies {
		rec, err := recall[copyRecord](ctx, a.Journal, copyKey(c.Name))
		if err != nil {
			return false, err
		}
		if rec == nil || a.Now().Sub(rec.Tried).Abs() >= copyEvery {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return false, nil
	}
	_, err = a.StartCopy(ctx, names)
	return err == nil, err
}

// codeOf is [app.CodeOf] for an error that may be nil.
func codeOf(e *app.Error) app.Code {
	if e == nil {
		return ""
	}
	return e.Code
}
