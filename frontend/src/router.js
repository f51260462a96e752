import { closeAll } from '@/services/overlays' // first: its listener runs before the router's
import { createRouter, createWebHistory } from 'vue-router'
import NoChat from '@/components/NoChat.vue'
import { useNotices } from '@/composables/useNotices'
import { i18n } from '@/i18n'
import { useSession } from '@/stores/session'
import ChatDetailView from '@/views/ChatDetailView.vue'
import LoginView from '@/views/LoginView.vue'
import MainView from '@/views/MainView.vue'

// The pages of the daily use are in the first load, so that navigation works without the network. `access`: a page for
// `strangers` is not shown to users who are logged in; a page without it needs a login.
const routes = [
  { path: '/login', name: 'login', component: LoginView, meta: { access: 'strangers' } },
  {
    path: '/register',
    name: 'register',
    component: () => import('@/views/RegisterView.vue'),
    meta: { access: 'strangers' },
  },
  {
    path: '/setup',
    name: 'setup',
    component: () => import('@/views/SetupView.vue'),
    meta: { access: 'anybody' },
  },
  {
    path: '/invite/:code',
    name: 'invite',
    component: () => import('@/views/InviteView.vue'),
    props: true,
    meta: { access: 'anybody' },
  },
  {
    path: '/',
    component: MainView,
    children: [
      { path: '', name: 'home', component: NoChat },
      {
        path: 'chats/:chatId(\\d+)',
        name: 'chat',
        component: ChatDetailView,
        props: (/** @type {import('vue-router').RouteLocationNormalized} */ route) => ({
          chatId: Number(route.params.chatId),
          messageId: Number(route.query.message) || null,
        }),
      },
      {
        path: 'admin/:section(people|invites|chats|statistics|log)?',
        name: 'admin',
        component: () => import('@/views/AdminView.vue'),
        props: (/** @type {import('vue-router').RouteLocationNormalized} */ route) => ({
          section: route.params.section || 'people',
        }),
        beforeEnter: () => (useSession().me?.is_admin ? true : { name: 'home' }),
      },
    ],
  },
  { path: '/:rest(.*)*', redirect: '/' },
]

const router = createRouter({ history: createWebHistory(), routes })

// Overlays and their history entries end with the page below them.
router.beforeEach(closeAll)

// After the login a user gets to the page that they wanted.
router.beforeEach((to) => {
  const { isLoggedIn } = useSession()
  if (!isLoggedIn && !to.meta.access) return loginFor(to.fullPath)
  if (isLoggedIn && to.meta.access === 'strangers') return String(to.query.to ?? '/')
})

router.onError((error) => {
  console.warn('A page could not be loaded:', error)
  useNotices().notify(i18n.global.t('errors.not_loaded'))
})

/** The login page, which leads on to a path. @param {string} path */
export function loginFor(path) {
  return { name: 'login', query: path === '/' ? {} : { to: path } }
}

export default router
