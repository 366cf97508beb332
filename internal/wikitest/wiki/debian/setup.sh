#!/bin/sh
# Set the wiki up, with its database and users, while the image is built.
set -eu
cp /setup/mariadb.cnf /etc/mysql/mariadb.conf.d/99-wiki.cnf
cp /setup/apache.conf /etc/apache2/sites-available/000-default.conf
mariadb-install-db --user=mysql --auth-root-authentication-method=normal >/dev/null
mkdir -p /run/mysqld && chown mysql:mysql /run/mysqld
mariadbd --user=mysql --bind-address=127.0.0.1 --innodb-flush-log-at-trx-commit=0 &
until mariadb -e 'SELECT 1' >/dev/null 2>&1; do sleep 0.1; done
mariadb -e "CREATE DATABASE wiki; GRANT ALL ON wiki.* TO wiki@'%' IDENTIFIED BY 'wiki'"

cd /usr/share/mediawiki
mkdir /tmp/written
php maintenance/install.php --confpath /tmp/written --dbtype mysql --dbserver 127.0.0.1 --dbname wiki \
    --dbuser wiki --dbpass wiki --server http://127.0.0.1 --scriptpath '' --pass 'of-the-administrator' 'Game day' Admin
cp /setup/LocalSettings.php /etc/mediawiki/LocalSettings.php
mkdir -p /var/cache/mediawiki
php maintenance/rebuildLocalisationCache.php --lang en
for n in 1 2 3 4 5 6; do
    php maintenance/createAndPromote.php "Editor$n" "gameday-wiki-$n"
done
echo 'A page to edit.' | php maintenance/edit.php --user Admin Sandbox
mariadb-admin shutdown
wait
chown -R www-data:www-data /var/cache/mediawiki
rm -rf /tmp/written
