<?php
# The settings of a small wiki: what the installer writes, and what a test needs.
if ( !defined( 'MEDIAWIKI' ) ) {
	exit;
}
$wgSitename = 'Game day';
$wgServer = WebRequest::detectServer(); # whichever port is published
$wgScriptPath = '';
$wgResourceBasePath = '';
$wgDBtype = 'mysql';
$wgDBserver = getenv( 'WIKI_DATABASE' ) ?: '127.0.0.1';
$wgDBname = 'wiki';
$wgDBuser = 'wiki';
$wgDBpassword = 'wiki';
$wgDBTableOptions = 'ENGINE=InnoDB, DEFAULT CHARSET=binary';
$wgLanguageCode = 'en';
$wgSecretKey = 'of-a-wiki-that-only-a-test-can-reach-and-that-has-nothing-to-hide';
$wgDefaultSkin = 'vector';
wfLoadSkin( 'Vector' );

# Sessions and the parser's cache are in the database, as where there is no memcached.
$wgMainCacheType = CACHE_NONE;
$wgSessionCacheType = CACHE_DB;
$wgParserCacheType = CACHE_DB;
# Texts of the interface are in files that the image holds.
$wgCacheDirectory = '/var/cache/mediawiki';
$wgLocalisationCacheConf['store'] = 'array';
$wgLocalisationCacheConf['manualRecache'] = true;
$wgUseDatabaseMessages = false;

# A few users log in again and again, from one address: without limits for that, and with
# a cheap hash, so that the wiki and not the hash is what is measured.
$wgRateLimits = [];
$wgPasswordAttemptThrottle = [];
$wgPasswordConfig['pbkdf2']['cost'] = '1';
# Nothing is mailed, and jobs do not run inside requests.
$wgEnableEmail = false;
$wgJobRunRate = 0;
