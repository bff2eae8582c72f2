import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

const COPIED = /^(package\.json|lua|README.*|LICENSE.*|CHANGELOG.*)$/;

/**
 * Builds and packs as `npm publish` would from a fresh clone, in a folder of its own, so that a service which runs from
 * dist/ is left alone.
 *
 * @param {string} root the project's folder
 * @param {string} work an empty folder
 * @returns {{ tarball: string, buildErrors: string[] }}
 */
export function pack(root, work) {
  const stage = join(work, 'stage');
  mkdirSync(stage);
  for (const name of readdirSync(root).filter((each) => COPIED.test(each))) {
    cpSync(join(root, name), join(stage, name), { recursive: true });
  }
  const dist = join(stage, 'dist');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['-p', 'tsconfig.build.json', '--outDir', dist, '--tsBuildInfoFile', join(dist, '.tsbuildinfo')];
  const build = spawnSync(process.execPath, [tsc, ...options], { cwd: root, encoding: 'utf8' });

  const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', work];
  const packed = execFileSync('npm', packing, { cwd: stage, stdio: ['ignore', 'pipe', 'ignore'] });
  const [{ filename }] = Object.values(JSON.parse(packed));
  return { tarball: join(work, filename), buildErrors: build.status === 0 ? [] : build.stdout.trim().split('\n') };
}

/**
 * Installs the tarball without a network: the package unpacked, and beside it only what its manifest declares.
 *
 * @returns {{ consumer: string, installed: string }} a project's folder, and the package's folder in it
 */
export function install(root, work, tarball, manifest) {
  const consumer = join(work, 'consumer');
  const installed = join(consumer, 'node_modules', manifest.name);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const link = join(consumer, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link, 'dir');
  }
  return { consumer, installed };
}
