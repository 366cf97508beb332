package journal

import "os"

// Full has every write to the journal fail from now on, as on a full disk.
func (j *Journal) Full() error {
	file, err := os.Open(j.path)
	if err != nil {
		return err
	}
	err = j.file.Close()
	j.file = file
	return err
}
