package storage

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/kopia/kopia/repo/blob"
)

// storageType is the name of Kvart's storage in repository.config.
const storageType = "kvart"

// storageRef is all that repository.config says about the storage: which open
// one of this process it is. Keys and addresses never reach the file.
type storageRef struct {
	ID string `json:"id"`
}

// registry resolves a storageRef to an open storage.
type registry struct {
	mu   sync.Mutex
	open map[string]blob.Storage
}

// storages is process-wide because Kopia leaves no other way: a repository is
// opened only by the path of a config file, and its storage is made by a
// factory that Kopia finds in a global table by the type's name and hands
// nothing but the file's contents. The alternative is secrets in that file.
var storages = registry{open: map[string]blob.Storage{}}

// registerStorageType adds the factory to Kopia's table, which is not Guarded
// itself, before the first use.
var registerStorageType = sync.OnceFunc(func() {
	blob.AddSupportedStorage(storageType, storageRef{}, func(_ context.Context, ref *storageRef, _ bool) (blob.Storage, error) {
		return storages.resolve(ref.ID)
	})
})

// add keeps st until remove and returns its id.
func (r *registry) add(st blob.Storage) string {
	registerStorageType()
	id := rand.Text()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[id] = st
	return id
}

func (r *registry) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, id)
}

func (r *registry) resolve(id string) (blob.Storage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st, ok := r.open[id]
	if !ok {
		return nil, fmt.Errorf("storage %q is not open in this process", id)
	}
	return st, nil
}
